"""Weights that are made here: of encoders whose fragment gives a recipe where others give a tag.

``pretrained = dict(type="CropClassification", ...)`` names a component of `mmseg_ext.pretraining`
and all of its constants, so the recipe is part of a cell's identity, as is the source of the
modules behind it. The weights lie in the cache, in a folder whose name digests both. They are made
once, in a process of its own; a second process that needs them meanwhile waits.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import identity, paths, source_hash
from benchmark.errors import UdabenchError
from benchmark.plan import PlannedCell
from benchmark.weights import recipe_of, with_weights

WEIGHTS, FACTS = "weights.safetensors", "facts.json"

Progress = Callable[[int, int], None]
Title = Callable[[str], contextlib.AbstractContextManager[Progress]]


@dataclass(frozen=True)
class MadeWeights:
    """The made weights of one encoder: by whom they are asked for, and what they are made from.

    Attributes:
        encoder: its name.
        backbone: its configuration, ``pretrained`` being the recipe.
        packages: modules of plugins that the configuration needs.
    """

    encoder: str
    backbone: Mapping[str, Any]
    packages: Sequence[str] = ()

    def job(self) -> dict[str, Any]:
        """What the data plane is given, as JSON can hold it."""
        plain = json.loads(json.dumps(dict(self.backbone)))
        recipe = plain.pop("pretrained")
        plain.pop("weights_of", None)
        return {"backbone": plain, "recipe": recipe, "imports": list(self.packages)}

    def key(self) -> str:
        """Short hex digest of all that the weights depend on."""
        from mmseg_ext.generator_version import GENERATOR_VERSION

        asked = {name: value for name, value in self.job().items() if name != "imports"}
        modules = source_hash.scan(self.packages).used_by(asked)
        document = {**asked, "generator": GENERATOR_VERSION, "modules": modules}
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:12]

    def folder(self, cache: Path) -> Path:
        """Folder of the weights below a cache root."""
        return cache / "pretrained" / f"{self.encoder}-{self.key()}"

    def is_made(self, cache: Path) -> bool:
        """Whether the weights are in the cache."""
        return _is_whole(self.folder(cache))

    def file(self, cache: Path, progress: Progress | None = None) -> Path:
        """The weight file, made now unless it is there.

        ``progress`` is called with the steps done and the steps in all while weights are made.

        Raises:
            UdabenchError: the recipe cannot be followed, or the cache folder cannot be written.
        """
        from mmseg_ext import file_lock

        folder = self.folder(cache)
        if not _is_whole(folder):
            try:
                folder.parent.mkdir(parents=True, exist_ok=True)
                with file_lock.held(folder.with_name(f"{folder.name}.lock")):
                    if not _is_whole(folder):
                        self._make(folder, progress)
            except OSError as error:
                raise UdabenchError(
                    f"the weights of {self.encoder} cannot be written to {folder}: {error}. "
                    "UDABENCH_CACHE moves the cache."
                ) from error
        return folder / WEIGHTS

    def facts(self, cache: Path) -> dict[str, Any]:
        """What was measured when the weights were made, and their SHA-256."""
        folder = self.folder(cache)
        found: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
        return {**found, "sha256": digest}

    def _make(self, folder: Path, progress: Progress | None) -> None:
        for leftover in folder.parent.glob(f".{folder.name}.*.partial"):
            shutil.rmtree(leftover, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        name = tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent)
        place = Path(name)
        try:
            asked = place / "recipe.json"
            asked.write_text(json.dumps(self.job(), indent=1, sort_keys=True) + "\n")
            problem = _run(asked, place, progress)
            if problem is not None:
                raise UdabenchError(f"the weights of {self.encoder} cannot be made: {problem}")
            place.chmod(0o755)  # a cache that several people share
            for file in place.iterdir():
                file.chmod(0o644)
            os.replace(place, folder)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def needed(cells: Iterable[PlannedCell]) -> list[MadeWeights]:
    """The made weights that ``cells`` start from, each once."""
    found: dict[str, MadeWeights] = {}
    for planned in cells:
        for backbone in with_weights(planned.config.get("model")):
            name = backbone["weights_of"]
            if recipe_of(backbone) is not None and name not in found:
                packages = identity.packages_of(planned.config)
                found[name] = MadeWeights(name, backbone, packages)
    return list(found.values())


def prepare(cells: Iterable[PlannedCell], bar: Title) -> None:
    """Make what ``cells`` start from and the cache lacks; ``bar`` shows progress under a title.

    Raises:
        UdabenchError: a recipe cannot be followed, or the cache folder cannot be written.
    """
    cache = paths.cache_root()
    for weights in needed(cells):
        if not weights.is_made(cache):
            with bar(f"pre-training {weights.encoder}") as progress:
                weights.file(cache, progress)


def _is_whole(folder: Path) -> bool:
    """A folder gets its name when all of it is written."""
    return (folder / WEIGHTS).is_file() and (folder / FACTS).is_file()


def _run(asked: Path, place: Path, progress: Progress | None) -> str | None:
    """Follow a recipe in a fresh process that sees no GPU; the problem, or None if there was none.

    One thread, whatever the caller uses: rounding depends on their number.
    """
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [sys.executable, "-m", "mmseg_ext.pretraining", str(asked), str(place)]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                numbers = line.split()
                if progress is not None and len(numbers) == 2 and all(map(str.isdigit, numbers)):
                    progress(int(numbers[0]), int(numbers[1]))
        except BaseException:
            process.terminate()
            raise
        if process.wait() == 0 and _is_whole(place):
            return None
        errors.seek(0)
        lines = errors.read().strip().splitlines()
        return lines[-1] if lines else f"the process ended with code {process.returncode}"

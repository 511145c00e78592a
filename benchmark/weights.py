"""Weights of encoders: where a user keeps them, and which of them a plan lacks.

A fragment names the weights of its encoder by a tag, never by a path. A user puts the file into one
folder, called after the encoder (``eva02-clip-l14.safetensors``), and says where that folder is
with ``--weights`` or ``$UDABENCH_WEIGHTS``; or lets the libraries download it. A recipe in the
tag's place means weights that are made here (`benchmark.made_weights`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError
from benchmark.plan import PlannedCell

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
VARIABLE = "UDABENCH_WEIGHTS"


@dataclass(frozen=True)
class WeightsFolder:
    """Where weight files are looked for, and whether a missing one may be downloaded."""

    folder: Path | None
    download: bool = False

    @classmethod
    def chosen(cls, folder: str | None, download: bool = False) -> WeightsFolder:
        """The folder of ``--weights``, else of ``$UDABENCH_WEIGHTS``; ``~`` and variables expand.

        Raises:
            UsageError: the folder does not exist.
        """
        text = folder or os.environ.get(VARIABLE)
        if not text:
            return cls(None, download)
        path = Path(os.path.expandvars(text)).expanduser().absolute()
        if not path.is_dir():
            raise UsageError(
                f"{text}: there is no such folder of weights (from "
                f"{'--weights' if folder else '$' + VARIABLE})"
            )
        return cls(path, download)

    def file(self, encoder: str) -> Path | None:
        """The file with the weights of the encoder called ``encoder``, or None."""
        if self.folder is None:
            return None
        candidates = (self.folder / f"{encoder}{suffix}" for suffix in SUFFIXES)
        return next((path for path in candidates if path.is_file()), None)

    def missing(self, encoder: str, backbone: Mapping[str, Any]) -> str | None:
        """What to do about weights that are asked for and not here, or None if all is well."""
        tag = backbone.get("pretrained")
        if recipe_of(backbone) is not None:
            return None  # made when a cell needs them
        if tag is None or backbone.get("checkpoint") or self.download or self.file(encoder):
            return None
        place = self.folder if self.folder is not None else f"a folder named by ${VARIABLE}"
        return (
            f"weights of {encoder} ({tag}) are missing: put them into {place} as "
            f"{encoder}{SUFFIXES[0]} (or {', '.join(SUFFIXES[1:])}), or let --download-weights "
            f"fetch them; 'udabench weights check {encoder} FILE' tells whether a file fits"
        )


def recipe_of(backbone: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The recipe that an encoder's weights are made with, or None if they are not made here."""
    pretrained = backbone.get("pretrained")
    return pretrained if isinstance(pretrained, Mapping) else None


def with_weights(config: Any) -> list[dict[str, Any]]:
    """The configurations of encoders with weights inside ``config``, however deep they lie."""
    if isinstance(config, list):
        return [found for item in config for found in with_weights(item)]
    if not isinstance(config, dict):
        return []
    own = [config] if "weights_of" in config else []
    return own + [found for item in config.values() for found in with_weights(item)]


def missing_weights(cells: Iterable[PlannedCell], folder: WeightsFolder) -> list[str]:
    """One sentence for each encoder in ``cells`` whose weights are not there."""
    found: dict[str, str] = {}
    for planned in cells:
        for backbone in with_weights(planned.config.get("model")):
            problem = folder.missing(backbone["weights_of"], backbone)
            if problem:
                found[backbone["weights_of"]] = problem
    return list(found.values())

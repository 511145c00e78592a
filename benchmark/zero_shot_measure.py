"""Makes a probe: compares patch features with the text features of class names, and scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark import domain_record, plugins, provenance
from benchmark.cell import Cell
from benchmark.errors import UdabenchError
from benchmark.identity import packages_of
from benchmark.paths import CellPaths
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime
from benchmark.weights import recipe_of
from benchmark.zero_shot import MADE, Probe, ZeroShotRecord


def measure(probe: Probe, suite: str, folder: Path, runtime: Runtime) -> ZeroShotRecord:
    """Score the encoder of ``probe`` on every domain of its shift that can be scored.

    Nothing is trained and nothing is written but weights that are made here and lack in the cache.

    Raises:
        UsageError: its weights are not there.
        UdabenchError: its weights cannot be made or loaded, they have no text tower, or its patch
            features cannot be compared with texts.
    """
    started = provenance.begin()
    plugins.load(packages_of(probe.config))
    cell = Cell(probe.stem, probe.encoder, probe.shift, 0)
    runner = for_this_machine(probe.config, CellPaths(folder, cell), runtime)

    from mmseg_ext.errors import ExtensionError
    from mmseg_ext.zero_shot import scoring

    rules = runner["model"]["segmentor"]["test_cfg"]
    placed = runner["model"]["segmentor"]["backbone"]
    try:
        segmentor, weights, templates, statistics = _segmentor(probe, placed, rules)
        scores, loaders = scoring.score(
            segmentor,
            # What a fragment says of image statistics goes before what the weights say.
            {**statistics, **runner["model"]["data_preprocessor"]},
            runner["test_dataloader"],
            runtime.device,
            runtime.threads,
        )
    except ExtensionError as error:
        raise UdabenchError(f"{probe.encoder}: {error}") from error
    from mmseg_ext.zero_shot.class_names import CLASS_NAMES

    return ZeroShotRecord(
        suite=suite,
        encoder=probe.encoder,
        shift=probe.shift,
        identity=probe.identity,
        metrics=domain_record.metrics(probe.config, scores, loaders),
        weights=weights,
        prompts={"names": [list(names) for names in CLASS_NAMES], "templates": list(templates)},
        provenance=provenance.capture(
            threads=runtime.threads,
            devices=scoring.device_names(runtime.device),
            started=started,
        ),
    )


def _segmentor(
    probe: Probe, placed: Mapping[str, Any], rules: Mapping[str, Any]
) -> tuple[Any, dict[str, Any], tuple[str, ...], dict[str, Any]]:
    """The untrained segmentor, facts about its weights, templates of prompts, image statistics."""
    from mmseg_ext.zero_shot import towers

    file = placed.get("checkpoint")
    if probe.kind == MADE:
        from mmseg_ext.encoders.weight_file import file_digest

        recipe = recipe_of(probe.backbone) or {}
        made = towers.of_region_text(
            probe.backbone, Path(str(file)).parent, recipe["embedding"], rules
        )
        facts = {"file": Path(str(file)).name, "sha256": file_digest(Path(str(file)))}
        return made, facts, towers.MADE_TEMPLATES, {}
    from mmseg_ext.zero_shot.class_names import TEMPLATES
    from mmseg_ext.zero_shot.whole_clip import whole_clip

    whole = whole_clip(
        probe.backbone["model"], probe.backbone["pretrained"], Path(file) if file else None
    )
    facts = {key: getattr(whole.loaded, key) for key in ("file", "sha256", "layout")}
    statistics = dataclasses.asdict(whole.statistics)
    return towers.of_open_clip(whole.model, whole.tokenize, rules), facts, TEMPLATES, statistics

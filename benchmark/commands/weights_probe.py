"""``udabench weights probe``: what weights with a text tower label by class names, untrained."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmark import compose, data, paths, plan, plugins, registry
from benchmark.cell import Cell
from benchmark.cli import EXIT_DONE
from benchmark.commands.bars import progress_bar
from benchmark.data_roots import DataRoots
from benchmark.errors import UsageError
from benchmark.made_weights import MadeWeights
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime
from benchmark.weights import recipe_of

PROTOCOL, SHIFT, METHOD = "minidrive", "minidrive", "source-only"


def run(parsed: argparse.Namespace) -> int:
    """Label the test images of MiniDrive's domains with the class names alone and score them.

    Raises:
        UsageError: the encoder's weights are not made with a text tower.
        UdabenchError: the weights or the images cannot be made.
    """
    encoder = registry.find("encoder", parsed.encoder)
    backbone = encoder.values["backbone"]
    recipe = recipe_of(backbone)
    if recipe is None or "embedding" not in recipe:
        raise UsageError(
            f"encoder {encoder.name}: no text tower is made with its weights, so names cannot be "
            "compared with its features; expected an encoder such as eva02-mini-clip"
        )
    plugins.load(encoder.imports)
    made = MadeWeights(encoder.name, backbone, encoder.imports)
    with progress_bar(f"pre-training {encoder.name}") as progress:
        folder = made.file(paths.cache_root(), progress).parent
    scores = _scores(encoder, backbone, recipe, folder)
    if parsed.json:
        print(json.dumps({"encoder": encoder.name, "miou": scores}, indent=1))
    else:
        print(f"{encoder.name}: mIoU from class names alone, without training")
        for domain, score in scores.items():
            print(f"  {domain}: {score:.1f}")
    return EXIT_DONE


def _scores(
    encoder: registry.Fragment, backbone: Any, recipe: Any, folder: Path
) -> dict[str, float]:
    shift = registry.find("shift", SHIFT)
    protocol, method = registry.find("protocol", PROTOCOL), registry.find("method", METHOD)
    config = compose.resolve(protocol, method, encoder, shift, plan.domain_fragments(shift), seed=0)
    planned = plan.PlannedCell(Cell(METHOD, encoder.name, SHIFT, 0), None, config, "missing", "")
    with progress_bar("generating data") as progress:
        data.prepare([planned], progress)
    cache = paths.cache_root()
    runtime = Runtime("cpu", 1, 0, DataRoots.chosen(None), cache)
    runner = for_this_machine(config, paths.CellPaths(folder, planned.cell), runtime)

    from mmseg_ext.zero_shot.scoring import score
    from mmseg_ext.zero_shot.towers import of_region_text

    segmentor = of_region_text(backbone, folder, recipe["embedding"])
    found = score(segmentor, runner["model"]["data_preprocessor"], runner["test_dataloader"])
    return {domain: round(each.miou, 2) for domain, each in found.items()}

"""``udabench weights probe``: what weights with a text tower label by class names, untrained."""

from __future__ import annotations

import argparse
import json
import sys

from benchmark import compose, identity, paths, plan, registry, zero_shot
from benchmark.cell import Cell
from benchmark.cli import EXIT_DONE
from benchmark.commands.probe import as_cell, prepare
from benchmark.data_roots import DataRoots
from benchmark.errors import UsageError
from benchmark.runtime import Runtime
from benchmark.weights import WeightsFolder, missing_weights
from benchmark.zero_shot import Probe

PROTOCOL, SHIFT, METHOD = "minidrive", "minidrive", "source-only"


def run(parsed: argparse.Namespace) -> int:
    """Label the test images of MiniDrive's domains with the class names alone and score them.

    Raises:
        UsageError: the encoder has no text tower, or its weights are missing.
        UdabenchError: the weights or the images cannot be made.
    """
    probe = _probe(registry.find("encoder", parsed.encoder))
    weights = WeightsFolder.chosen(parsed.weights, parsed.download_weights)
    lacking = missing_weights([as_cell(probe)], weights)
    if lacking:
        raise UsageError("\n  ".join(lacking))
    prepare([as_cell(probe)])
    runtime = Runtime("cpu", 1, 0, DataRoots.chosen(None), paths.cache_root(), weights)

    from benchmark.zero_shot_measure import measure

    record = measure(probe, "", paths.cache_root(), runtime)
    scores = {domain: each.miou for domain, each in record.metrics.items()}
    if parsed.json:
        print(json.dumps({"encoder": probe.encoder, "miou": scores}, indent=1))
    else:
        print(f"{probe.encoder}: mIoU from class names alone, without training")
        for domain, score in scores.items():
            print(f"  {domain}: {score:.1f}")
        hint = "'udabench probe SUITE' measures a suite's encoders and keeps them for its report"
        print(f"udabench: {hint}", file=sys.stderr)
    return EXIT_DONE


def _probe(encoder: registry.Fragment) -> Probe:
    shift = registry.find("shift", SHIFT)
    protocol, method = registry.find("protocol", PROTOCOL), registry.find("method", METHOD)
    config = compose.resolve(protocol, method, encoder, shift, plan.domain_fragments(shift), seed=0)
    cell = Cell(METHOD, encoder.name, SHIFT, 0)
    entry = plan.PlannedCell(cell, identity.identify(config), config, "missing", "")
    found = zero_shot.probes([entry])
    if not found:
        raise UsageError(
            f"encoder {encoder.name}: it has no text tower, so names cannot be compared with its "
            "features; expected one that is made with its text tower, such as eva02-mini-clip, or "
            "one of open_clip, such as eva02-clip-l14"
        )
    return found[0]

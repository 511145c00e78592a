"""``udabench weights check``: whether a file loads whole into an encoder, without training."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmark import plugins, registry
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.errors import UsageError


def check(parsed: argparse.Namespace) -> int:
    """Build the encoder, load the file into it and print the verdict."""
    encoder = registry.find("encoder", parsed.encoder)
    backbone: dict[str, Any] = dict(encoder.values["backbone"])
    if "pretrained" not in backbone:
        raise UsageError(f"encoder {encoder.name} takes no weights: it is trained from random ones")
    plugins.load(encoder.imports)
    verdict = _verdict(backbone, Path(parsed.file).expanduser())
    if parsed.json:
        print(json.dumps({"encoder": encoder.name, **verdict}, indent=1))
    elif verdict["whole"]:
        print(f"{parsed.file}: loads whole into {encoder.name}")
        print(f"  {verdict['tensors']} tensors, {verdict['layout']} layout, {verdict['dtypes']}")
        print(f"  sha256 {verdict['sha256']}")
        print(f"  images: mean {verdict['mean']}, std {verdict['std']} (RGB, 0-255)")
    else:
        print(f"{parsed.file}: refused for {encoder.name}\n  {verdict['problem']}")
    return EXIT_DONE if verdict["whole"] else EXIT_FAILED


def _verdict(backbone: dict[str, Any], file: Path) -> dict[str, Any]:
    from mmseg_ext.errors import ExtensionError
    from mmseg_ext.registry import MODELS

    try:
        encoder = MODELS.build({**backbone, "checkpoint": str(file)})
    except ExtensionError as error:
        return {"whole": False, "problem": str(error)}
    loaded = asdict(encoder.loaded)
    statistics = asdict(encoder.image_statistics)
    rounded = {key: [round(value, 3) for value in values] for key, values in statistics.items()}
    return {"whole": True, **loaded, "dtypes": ", ".join(loaded["dtypes"]), **rounded}

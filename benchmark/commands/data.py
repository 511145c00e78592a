"""``udabench data``: generated data sets."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from benchmark import data, paths
from benchmark.commands.bars import progress_bar
from benchmark.domains import GENERATED
from benchmark.errors import UdabenchError


def prepare(parsed: argparse.Namespace) -> int:
    """Generate the world that the suites' domains describe, all domains and splits."""
    for parameters in _parameters():
        with progress_bar(f"generating {parsed.world}") as progress:
            folder = data.generate(parameters, None, progress)
        print(f"{parsed.world}: {folder}")
    return 0


def preview(parsed: argparse.Namespace) -> int:
    """Write the contact sheet of all domains with their labels."""
    import cv2

    from mmseg_ext.datasets.minidrive import contact_sheet

    path = Path(parsed.out)
    if path.suffix.lower() != ".png":
        raise UdabenchError(f"--out: expected a file that ends in .png, got {parsed.out}")
    sheet = contact_sheet(data.world_of(_parameters()[0]))
    encoded, png = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    if not encoded:
        raise UdabenchError(f"{path}: the contact sheet could not be encoded")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(png.tobytes())
        os.replace(temporary, path)
    except OSError as error:
        raise UdabenchError(f"{path}: cannot be written ({error})") from error
    print(f"{paths.shown(path)}: {sheet.shape[1]}x{sheet.shape[0]} pixels")
    return 0


def _parameters() -> list[dict[str, Any]]:
    """The different worlds that the domain fragments describe."""
    from benchmark import registry

    found: list[dict[str, Any]] = []
    for domain in registry.sound("domain"):
        values = domain.values
        if values.get("reader") == GENERATED and values["world"] not in found:
            found.append(dict(values["world"]))
    if not found:
        raise UdabenchError(f"{paths.configs_root()}: no domain has reader = {GENERATED!r}")
    return found

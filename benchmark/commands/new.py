"""``udabench new``: a small package to begin a method or an encoder from."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark import paths
from benchmark.cli import EXIT_DONE
from benchmark.scaffold import naming, package


def run(parsed: argparse.Namespace) -> int:
    """Write the package and say what to do with it."""
    names = naming.of(parsed.kind, parsed.name)
    written = package.write(names, Path(parsed.to).expanduser())
    shown = paths.shown(written)
    place = shown if "/" in shown else f"./{shown}"
    print(f"{names.kind} {names.name} is in {place}: it works as it is. Next:")
    print(f"  uv pip install --no-deps --editable {place}   (without uv: pip install ...)")
    print(f"  udabench check {names.name}")
    print(f"  edit {place}/{names.name}/{names.kind}.py, and its card and settings in")
    print(f"       {place}/{names.name}/configs/{names.kind}s/{names.name}.py")
    return EXIT_DONE

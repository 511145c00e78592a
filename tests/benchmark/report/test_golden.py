"""The printed tables, byte by byte, for a grid that has every state (see conftest.py)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.report import generalization, uda
from benchmark.report.formats import FORMATS
from benchmark.report.formats.console import console
from benchmark.report.grid import Grid
from benchmark.report.model import Table

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("build", [uda, generalization])
@pytest.mark.parametrize(("extension", "convert"), [*FORMATS.items(), ("txt", console)])
def test_golden(
    story: Grid,
    build: Callable[[Grid], Table],
    extension: str,
    convert: Callable[[Table], str],
) -> None:
    table = build(story)
    golden = (GOLDEN / f"{table.name}.{extension}").read_bytes().decode()
    assert convert(table) == golden

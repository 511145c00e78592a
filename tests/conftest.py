"""Fixtures of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests come first, so that of several workers none is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def real_samples() -> Path:
    """Folder of small real samples of data sets, kept outside of the project."""
    folder = Path(os.environ.get("UDABENCH_REAL_SAMPLES", ROOT.parent / "shared/data/real"))
    if not folder.is_dir():
        pytest.skip("real samples are not at hand; UDABENCH_REAL_SAMPLES names their folder")
    return folder

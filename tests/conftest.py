"""Fixtures of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_samples() -> Path:
    """Folder of small real samples of data sets, kept outside of the project."""
    folder = Path(os.environ.get("UDABENCH_REAL_SAMPLES", ROOT.parent / "shared/data/real"))
    if not folder.is_dir():
        pytest.skip("real samples are not at hand; UDABENCH_REAL_SAMPLES names their folder")
    return folder

"""The example package, importable without being installed."""

from __future__ import annotations

from pathlib import Path

import pytest

FDA = Path(__file__).parent / "fda"


@pytest.fixture
def fda_folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the example's project, put on the path."""
    monkeypatch.syspath_prepend(FDA)
    return FDA

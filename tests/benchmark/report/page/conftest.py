"""The story grid as a plan, with a figure and panels, and its page as a file."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import browser as browsers
import pytest

from benchmark.report.grid import Grid
from benchmark.report.page import page
from benchmark.report.tables import build

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40">'
    b'<rect width="80" height="40" fill="teal"/></svg>'
)
FIGURE = SimpleNamespace(
    name="scatter",
    title="Target against unseen",
    caption="A dot a cell.",
    alt="Dots <rise> to the right",
    files={"svg": DRAWING, "pdf": b"%PDF", "png": DOT},
)


def panel(domain: str, image: bytes, *encoders: str) -> Any:
    predictions = tuple(
        SimpleNamespace(method=method, encoder=encoder, shift="syn-real", seed=0, png=DOT)
        for method in ("source-only", "dacs")
        for encoder in encoders
    )
    return SimpleNamespace(
        domain=domain, image_id=f"{domain}-7", image=image, truth=DOT, predictions=predictions
    )


PANELS = (panel("real", DOT, "resnet", "vit_b"), panel("night", DOT + b"\0", "vit_b"))


@pytest.fixture
def plan(story: Grid, tmp_path: Path) -> Any:
    """The story as a plan: done and failed cells have records."""
    entries = tuple(
        SimpleNamespace(
            cell=cell,
            state=outcome.state,
            reason=outcome.reason,
            record=object() if outcome.state in ("done", "failed", "stale") else None,
        )
        for cell, outcome in story.outcomes.items()
    )
    suite = SimpleNamespace(title=story.title, summary="")
    return SimpleNamespace(suite=suite, folder=tmp_path / "story", entries=entries, iterations=None)


@pytest.fixture
def text(plan: Any, story: Grid) -> str:
    return page(plan, story, build(story), [FIGURE], PANELS)


@pytest.fixture
def shown(text: str, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[browsers.Browser]:
    if not browsers.PROGRAM:
        pytest.skip("there is no chromium on this machine")
    with browsers.browser() as made:
        yield made


@pytest.fixture
def opened(chromium: browsers.Browser, shown: Path) -> Iterator[browsers.Browser]:
    """The story's page in a browser, which must ask for nothing else and complain of nothing."""
    chromium.open(shown)
    yield chromium
    chromium.evaluate("1")
    outside = [a for a in chromium.requests if not a.startswith("data:")]
    assert outside == [shown.as_uri()]
    assert chromium.complaints == []

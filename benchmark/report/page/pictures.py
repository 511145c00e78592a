"""Figures and panels as data of the page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from benchmark.report.grid import Grid


class FigureLike(Protocol):
    """What the page reads of a figure."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def caption(self) -> str: ...
    @property
    def alt(self) -> str: ...
    @property
    def files(self) -> Mapping[str, bytes]: ...


class PredictionLike(Protocol):
    """What the page reads of one prediction."""

    @property
    def method(self) -> str: ...
    @property
    def encoder(self) -> str: ...
    @property
    def shift(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def png(self) -> bytes: ...


class PanelLike(Protocol):
    """What the page reads of an image with its ground truth and predictions."""

    @property
    def domain(self) -> str: ...
    @property
    def image_id(self) -> str: ...
    @property
    def image(self) -> bytes: ...
    @property
    def truth(self) -> bytes: ...
    @property
    def predictions(self) -> Sequence[PredictionLike]: ...


def figure(drawn: FigureLike) -> dict[str, Any]:
    """A figure with its SVG as a data URI: two inlined ones would share the ids of their parts."""
    return {
        "name": drawn.name,
        "title": drawn.title,
        "caption": drawn.caption,
        "alt": drawn.alt,
        "kinds": sorted(drawn.files),
        "source": _uri("svg+xml", drawn.files["svg"]),
    }


def panels(grid: Grid, shown: Sequence[PanelLike]) -> list[dict[str, Any]]:
    """Panels as the script reads them; titles stand for names where the grid knows them."""
    methods = {method.name: method.title for method in grid.methods}
    encoders = {encoder.name: encoder.title for encoder in grid.encoders}
    # Said only where a domain may have been predicted after training on several.
    shifts = {each.name: each.title for each in grid.shifts} if len(grid.shifts) > 1 else {}
    domains = {
        domain.name: domain.short
        for shift in grid.shifts
        for domain in (shift.target, *shift.unseen)
    }
    return [
        {
            "domain": domains.get(panel.domain, panel.domain),
            "id": panel.image_id,
            "image": _uri("jpeg", panel.image),
            "truth": _uri("png", panel.truth),
            "predictions": [
                {
                    "method": methods.get(each.method, each.method),
                    "encoder": encoders.get(each.encoder, each.encoder),
                    "shift": shifts.get(each.shift, ""),
                    "seed": each.seed,
                    "source": _uri("png", each.png),
                }
                for each in panel.predictions
            ],
        }
        for panel in shown
    ]


def legend() -> list[tuple[str, str]]:
    """Every class with its colour as ``#rrggbb``."""
    from mmseg_ext.datasets.classes import CLASSES, PALETTE

    return [
        (name, "#" + bytes(colour).hex()) for name, colour in zip(CLASSES, PALETTE, strict=True)
    ]


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"

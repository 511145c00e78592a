"""A finished figure: its words and its files."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

PNG_DPI = 160
METADATA: Mapping[str, Mapping[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
"""What matplotlib would write into a file by itself: dates and versions, which would differ."""


@dataclass(frozen=True)
class Figure:
    """A figure with the words that belong to it.

    ``name`` names its files; ``alt`` says in words what the picture shows; ``files`` has the bytes
    of the formats ``svg``, ``pdf`` and ``png``. Equal grids give equal bytes on one machine.
    """

    name: str
    title: str
    caption: str
    alt: str
    files: Mapping[str, bytes]


def save(drawing: Drawing) -> dict[str, bytes]:
    """The bytes of ``drawing`` in every format; its label is its name and salts the SVG's ids.

    Call it within ``benchmark.report.figures.style.styled``.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(drawing)
    files = {}
    with warnings.catch_warnings():
        # A title may have characters that DejaVu lacks; a box in their place is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph ")
        drawing.draw_without_rendering()  # type: ignore[no-untyped-call]
        drawing.set_layout_engine("none")  # laid out once, not again for each format
        for extension, metadata in METADATA.items():
            stream = io.BytesIO()
            salt: Any = {"svg.hashsalt": str(drawing.get_label())}
            with matplotlib.rc_context(salt):
                drawing.savefig(stream, format=extension, dpi=PNG_DPI, metadata=dict(metadata))
            files[extension] = stream.getvalue()
    files["svg"] = _for_a_page(files["svg"])
    return files


def _for_a_page(svg: bytes) -> bytes:
    """An SVG that may stand in a page beside others.

    It has no ids that nothing refers to, no metadata, and no style sheet, which would hold for the
    whole page: what that says of every element is inherited from the root instead.
    """
    used = set(re.findall(rb'#([\w.-]+)[")]', svg))
    svg = re.sub(rb' id="([\w.-]+)"', lambda found: found[0] if found[1] in used else b"", svg)
    svg = re.sub(rb"\s*<metadata>.*?</metadata>", b"", svg, flags=re.DOTALL)
    sheet = re.compile(rb'\s*<style type="text/css">\*\{([^}]*)\}</style>')
    found = sheet.search(svg)
    if found is None:
        return svg
    return sheet.sub(b"", svg).replace(b"<svg ", b'<svg style="' + found[1] + b'" ', 1)

"""Panels: which examples are shown, and that the pictures say what the files say."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray
from PIL import Image

from benchmark import examples
from benchmark.cell import Cell
from benchmark.report import panels
from benchmark.report.figures import style
from benchmark.report.grid import Domain, Encoder, Grid, Method, Shift

drawing: Any = import_module("benchmark.report.figures.panels")  # the package has a function of it
SHIFT = Shift("there", "here -> there", Domain("far", "Far"), (Domain("fog", "Fog & <b>"),))
METHODS = (Method("plain", "Plain", "baseline"), Method("adapt", "Adapt _x", "uda"))
ENCODERS = (Encoder("small", "Small"), Encoder("timm.large/x", "Large"))
ROLES = {"here": "source", "far": "target", "fog": "unseen"}


def encoded(array: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    image = Image.fromarray(array)
    if kind == "PNG":
        image.putpalette([255 - value for value in range(256) for _ in range(3)])
    image.save(content, kind)
    return content.getvalue()


def labels(seed: int, height: int = 6, width: int = 12) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return rng.choice([0, 1, 13, 255], (height, width)).astype(np.uint8)


class Folder:
    """A suite's results, with examples of some cells."""

    def __init__(self, root: Path, size: tuple[int, int] = (6, 12)) -> None:
        self.root, self.size = root, size
        self.entries: list[Any] = []

    def add(
        self, cell: Cell, *, state: str = "done", identity: str = "abc", known: str = "abc"
    ) -> Mapping[str, NDArray[np.uint8]]:
        """A cell with two images of each domain; ``known`` is what its examples were made by."""
        written, digests = {}, {}
        for domain in ("fog", "far", "here"):
            for image in ("a", "b"):
                name = f"{domain}/{image}"
                folder = self.root / "examples" / name
                folder.mkdir(parents=True, exist_ok=True)
                height, width = self.size
                rng = np.random.default_rng(5)
                picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
                (folder / examples.IMAGE).write_bytes(encoded(picture, "JPEG"))
                (folder / examples.TRUTH).write_bytes(encoded(labels(1, height, width)))
                written[name] = labels(10 * len(self.entries) + len(written) + 7, height, width)
                png = encoded(written[name])
                (folder / f"{cell.stem.replace('/', '-')}.png").write_bytes(png)
                digests[name] = hashlib.sha256(png).hexdigest()
        manifest = {"identity": known, "predictions": digests}
        (self.root / "examples" / f"{cell.stem}.json").write_text(json.dumps(manifest))
        record = SimpleNamespace(identity=SimpleNamespace(id=identity))
        self.entries.append(
            SimpleNamespace(cell=cell, state=state, record=record, config={"roles": ROLES})
        )
        return written

    @property
    def plan(self) -> Any:
        return SimpleNamespace(folder=self.root, entries=tuple(self.entries))


def cell(method: str, encoder: str = "small", seed: int = 0) -> Cell:
    return Cell(method, encoder, "there", seed)


def grid(methods: tuple[Method, ...] = METHODS) -> Grid:
    return Grid("Suite", methods, ENCODERS, (SHIFT,), (0, 1), {})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_panels_hold_the_files_in_the_order_of_shift_and_plan(folder: Folder) -> None:
    first, second = folder.add(cell("plain")), folder.add(cell("adapt"))
    found = panels.gather(folder.plan)
    assert [(each.domain, each.image_id) for each in found] == [
        (domain, image) for domain in ("here", "far", "fog") for image in "ab"
    ]
    for panel in found:
        assert [each.method for each in panel.predictions] == ["plain", "adapt"]
        for each, written in zip(panel.predictions, (first, second), strict=True):
            shown = np.asarray(Image.open(io.BytesIO(each.png)))
            np.testing.assert_array_equal(shown, written[f"{panel.domain}/{panel.image_id}"])
        assert np.asarray(Image.open(io.BytesIO(panel.image))).shape == (6, 12, 3)


def test_only_done_cells_of_their_present_records_are_shown(folder: Folder) -> None:
    folder.add(cell("plain"))
    folder.add(cell("adapt"), state="stale")
    folder.add(cell("adapt", seed=1), known="of an older record")
    (panel, *_) = panels.gather(folder.plan)
    assert [each.method for each in panel.predictions] == ["plain"]


def test_without_examples_there_is_nothing(folder: Folder) -> None:
    assert panels.gather(folder.plan) == ()
    assert drawing.panels(folder.plan, grid()) == ()


def test_error_maps_tell_wrong_right_and_unscored() -> None:
    truth = np.array([[0, 1, 255, 13]], np.uint8)
    prediction = np.array([[0, 2, 0, 13]], np.uint8)
    shown = drawing._error_map(truth, prediction)[0].tolist()
    wrong, right = ([*bytes.fromhex(each[1:]), 255] for each in (drawing.WRONG, drawing.RIGHT))
    assert shown == [right, wrong, [0, 0, 0, 0], right]
    assert drawing._errors(truth, prediction) == pytest.approx(1 / 3)


def test_a_figure_an_encoder_with_a_column_a_method(folder: Folder) -> None:
    folder.add(cell("plain"))
    folder.add(cell("adapt", seed=1))
    chosen = folder.add(cell("adapt"))  # the lower seed, though it comes later
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (figure,) = drawing.panels(folder.plan, grid())
    assert figure.name == "panels-there-small"
    truth = labels(1)
    wrong = (truth != chosen["far/a"])[truth != 255].mean()
    assert f"Adapt _x {100 * wrong:.0f} %" in figure.alt
    assert figure.files["pdf"].startswith(b"%PDF")
    text = "".join(ElementTree.fromstring(figure.files["svg"]).itertext())
    for word in ("image", "ground truth", "Plain", "Adapt _x", "Far", "Fog & <b>", "road", "wrong"):
        assert word in text
    again = drawing.panels(folder.plan, grid())[0]
    assert again.files == figure.files


def test_pictures_are_where_they_belong(folder: Folder) -> None:
    """Row a domain, column a method, the error map below the prediction."""
    folder.add(cell("plain"))
    written = folder.add(cell("adapt"))
    rows = drawing._rows(grid(), SHIFT, ENCODERS[0], panels.gather(folder.plan))
    with style.styled():
        made = drawing.draw("x", "Title", METHODS, rows, 256)
    (axes,) = made.axes
    found = [(image.get_extent(), image.get_array()) for image in axes.images]
    assert len(found) == 2 * (2 + 2 * 2)
    colours = drawing._coloured(written["fog/a"])
    (place,) = (box for box, picture in found if np.array_equal(picture, colours))
    errors = drawing._error_map(labels(1), written["fog/a"])
    (below,) = (box for box, picture in found if np.array_equal(picture, errors))
    assert below[:2] == place[:2]
    assert below[3] == pytest.approx(place[2] + drawing.EDGE)
    assert place[0] == max(box[0] for box, _ in found)
    assert below[2] == max(box[2] for box, _ in found)


def test_a_domain_with_groups_has_a_row_for_each(folder: Folder) -> None:
    folder.add(cell("plain"))
    manifest = folder.root / "examples" / f"{cell('plain').stem}.json"
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**document, "groups": {"far/a": "rain", "far/b": "snow"}}))
    rows = drawing._rows(grid(), SHIFT, ENCODERS[0], panels.gather(folder.plan))
    assert [(row.panel.image_id, row.label) for row in rows] == [
        ("a", "rain"), ("b", "snow"), ("a", "Fog & <b>")
    ]  # fmt: skip
    (figure,) = drawing.panels(folder.plan, grid())
    assert "domain or condition (rain, snow, Fog & <b>)" in figure.caption


def test_a_missing_prediction_leaves_its_place_empty(folder: Folder) -> None:
    folder.add(cell("plain"))
    folder.add(cell("adapt"))
    (folder.root / "examples/fog/a" / f"{cell('adapt').stem}.png").unlink()
    (folder.root / "examples/fog/b" / f"{cell('adapt').stem}.png").unlink()
    (figure,) = drawing.panels(folder.plan, grid())
    assert figure.alt.count("Adapt _x") == 2  # as a column, and of the domain that has it


def test_large_pictures_do_not_make_a_large_figure(tmp_path: Path) -> None:
    methods = tuple(Method(f"m{index}", f"Method {index}") for index in range(8))
    folder = Folder(tmp_path, size=(256, 512))
    for method in methods:
        folder.add(cell(method.name))  # noise, which no format makes small
    (figure,) = drawing.panels(folder.plan, grid(methods))
    assert len(figure.files["svg"]) <= drawing.LARGEST_SVG


def test_long_titles_of_many_methods_take_two_lines(folder: Folder) -> None:
    names = [f"m{index}" for index in range(11)]
    methods = tuple(Method(name, "Source-only (RCS)") for name in names)
    for name in names:
        folder.add(cell(name))
    rows = drawing._rows(grid(methods), SHIFT, ENCODERS[0], drawing.stored.gather(folder.plan))
    with style.styled():
        made = drawing.draw("name", "Title", methods, rows, 12)
        headings = [each for each in made.axes[0].texts if "Source-only" in each.get_text()]
        assert {each.get_text() for each in headings} == {"Source-only\n(RCS)"}
        renderer = FigureCanvasAgg(made).get_renderer()
        ends = [each.get_window_extent(renderer) for each in headings]
    assert len(ends) == 11
    assert all(a.x1 < b.x0 for a, b in pairwise(ends))

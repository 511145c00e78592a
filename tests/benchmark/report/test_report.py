"""From a plan of a suite to files, through the real plan, suite and fragment classes."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark import report
from benchmark.cell import Cell
from benchmark.errors import FragmentError, RecordError, UsageError
from benchmark.plan import Plan, PlannedCell
from benchmark.records import DomainMetrics, Failure, Identity, Record
from benchmark.report.formats import FORMATS
from benchmark.suite import Budget, Suite

FRAGMENTS = {
    "methods/base": 'card = dict(title="Base", summary="s", role="baseline")',
    "methods/adapt": 'card = dict(title="Adapt", summary="s", role="uda")',
    "encoders/small": 'card = dict(title="Same", summary="s")',
    "encoders/large": 'card = dict(title="Same", summary="s")',
    "shifts/move": (
        'card = dict(title="here -> there", summary="s")\n'
        'source, target, unseen = "here", "there", ["fog"]'
    ),
    "shifts/lost": 'card = dict(title="Lost", summary="s")',
    "domains/here": 'card = dict(title="Here", summary="s")',
    "domains/there": 'card = dict(title="There", summary="s", short="th")',
    "domains/fog": 'card = dict(title="Fog", summary="s")',
}


PICTURE = {"svg": b"<svg/>", "pdf": b"%PDF", "png": b"PNG"}


def _pictures(
    monkeypatch: pytest.MonkeyPatch,
    build: Callable[..., object] = lambda plan, grid: (),
    gather: Callable[..., object] = lambda plan: (),
) -> None:
    """Other figures and panels than those of the plan."""
    monkeypatch.setattr("benchmark.report.figures.build", build)
    monkeypatch.setattr("benchmark.report.panels.gather", gather)


@pytest.fixture(autouse=True)
def _configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FRAGMENTS.items():
        path = tmp_path / "configs" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    monkeypatch.setenv("UDABENCH_CONFIGS", str(tmp_path / "configs"))


def entry(method: str, encoder: str, miou: float, *, state: str = "done") -> PlannedCell:
    cell = Cell(method, encoder, "move", 0)
    identity = Identity(id=f"{method}-{encoder}", version=1, config="c", data="d", metric="m")
    metrics = {
        domain: DomainMetrics(role, miou - less, {"road": miou}, 1, 90.0, 10)
        for domain, role, less in (("there", "target", 0.0), ("fog", "unseen", 10.0))
    }
    record = Record("toy", cell, identity, "done", metrics)
    return PlannedCell(cell, identity, {}, state, "config changed", record)


def planned(
    folder: Path, *entries: PlannedCell, shift: str = "move", methods: tuple[str, ...] = ()
) -> Plan:
    suite = Suite(
        name="toy",
        title="Toy",
        protocol="p",
        methods=methods or ("base", "adapt"),
        encoders=("small", "large"),
        shifts=(shift,),
        seeds=(0,),
        excluded=(),
        budget=Budget(),
        path=folder / "toy.yaml",
    )
    return Plan(suite, folder / "toy", entries)


def complete(folder: Path) -> Plan:
    return planned(
        folder,
        entry("base", "small", 40.0),
        entry("base", "large", 45.0),
        entry("adapt", "small", 50.0),
        entry("adapt", "large", 52.5),
    )


def test_write_makes_every_table_in_every_format_and_the_page(tmp_path: Path) -> None:
    plan = complete(tmp_path)
    written = report.write(plan, figures=False)
    tables = [
        f"tables/{table.name}.{extension}" for table in report.render(plan) for extension in FORMATS
    ]
    names = [path.relative_to(plan.folder).as_posix() for path in written.files]
    assert names == [*tables, "report.html"]
    assert {"tables/uda.md", "tables/generalization.csv"} <= set(names)
    assert sorted(path for path in plan.folder.rglob("*") if path.is_file()) == sorted(
        written.files
    )
    assert written.changed == written.files
    assert (written.removed, written.problems) == ((), ())
    assert not any(b"\r" in path.read_bytes() for path in written.files)


def test_what_did_not_change_is_not_touched(tmp_path: Path) -> None:
    plan = complete(tmp_path)
    first = report.write(plan, figures=False)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in first.files}
    again = report.write(plan, figures=False)
    assert again.files == first.files
    assert again.changed == ()
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in again.files} == before
    first.files[0].write_text("edited by hand")
    assert report.write(plan, figures=False).changed == first.files[:1]


def test_tables_and_figures_that_are_no_more_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = complete(tmp_path)
    drawn = (SimpleNamespace(name="now", title="t", caption="c", alt="a", files=PICTURE),)
    _pictures(monkeypatch, build=lambda plan, grid: drawn)
    old = [plan.folder / "tables" / "old.csv"]
    old += [plan.folder / "figures" / f"old.{kind}" for kind in PICTURE]
    kept = [plan.folder / "figures" / "mine.png", plan.folder / "tables" / "notes.txt"]
    for path in (*old, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    written = report.write(plan)
    assert sorted(written.removed) == sorted(old)
    assert [path.exists() for path in (*old, *kept)] == [False] * 4 + [True] * 2
    assert (plan.folder / "figures" / "now.pdf").read_bytes() == PICTURE["pdf"]


def test_a_failure_to_draw_costs_only_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(plan: object, grid: object) -> tuple[()]:
        raise ValueError("no font")

    def gather(plan: object) -> tuple[()]:
        raise RecordError("examples/real.npz: not readable; delete it")

    plan = complete(tmp_path)
    _pictures(monkeypatch, build=build, gather=gather)
    written = report.write(plan)
    assert written.problems == (
        "the figures could not be made: ValueError: no font",
        "examples/real.npz: not readable; delete it",
    )
    assert plan.folder / "report.html" in written.files
    assert "52.5" in (plan.folder / "report.html").read_text()


def test_titles_come_from_the_cards(tmp_path: Path) -> None:
    adaptation, generalization, *_ = report.render(complete(tmp_path))
    (section,) = adaptation.sections
    assert section.title == "here -> there"
    assert [row.labels for row in section.rows] == [("Base",), ("Adapt",)]
    assert [column.group for column in section.columns] == ["Same (small)", "Same (large)"]
    assert [column.title for column in generalization.sections[0].columns] == [
        "th (target)",
        "Fog",
        "mean of unseen",
    ]


def test_only_done_cells_lend_their_numbers(tmp_path: Path) -> None:
    stale = entry("adapt", "small", 50.0, state="stale")
    adaptation, _ = report.render(planned(tmp_path, stale))
    cell = adaptation.sections[0].rows[1].cells[0]
    assert (cell.value, cell.state) == (None, "stale")
    assert adaptation.notes == ("stale (config changed)",)
    assert adaptation.sections[0].rows[0].cells[0].state == "missing"


def test_an_accepted_stale_record_lends_its_numbers_under_a_foot_note(tmp_path: Path) -> None:
    reason = "accepted while stale: mmseg_ext/parts/class_mix.py changed"
    base = dataclasses.replace(entry("base", "small", 40.0), reason=reason, accepted=True)
    plain = dataclasses.replace(entry("adapt", "small", 50.0), reason="")
    plan = planned(tmp_path, base, plain)
    adaptation, unseen, *_ = report.render(plan)
    assert adaptation.notes == (reason, f"Base: {reason}")
    first, second = (row.cells[0] for row in adaptation.sections[0].rows)
    assert (first.value, first.state, first.footnotes) == (40.0, "done", (1,))
    assert (second.value, second.footnotes) == (50.0, ())
    assert second.delta is not None  # the gain rests on the accepted record
    assert (second.delta.value, second.delta.footnotes) == (10.0, (2,))
    assert unseen.notes == (reason,)
    for path in report.write(plan, figures=False).files:
        assert "class" in path.read_text(), path


def test_what_a_record_notes_about_its_training_is_a_foot_note(tmp_path: Path) -> None:
    note = "accumulated over 2 micro-batches after out of memory"
    cut = entry("adapt", "small", 50.0)
    assert cut.record is not None
    cut = dataclasses.replace(cut, record=dataclasses.replace(cut.record, notes=(note,)))
    adaptation, unseen, *_ = report.render(planned(tmp_path, entry("base", "small", 40.0), cut))
    first, second = (row.cells[0] for row in adaptation.sections[0].rows)
    assert (first.footnotes, second.footnotes) == ((), (1,))
    assert adaptation.notes == unseen.notes == (note,)


def test_a_failure_is_told_with_its_kind(tmp_path: Path) -> None:
    cell = Cell("adapt", "small", "move", 0)
    identity = Identity("i", 1, "c", "d", "m")
    failure = Failure("oom", "out of memory", "cells/log.txt")
    record = Record("toy", cell, identity, "failed", failure=failure)
    unreadable = Cell("adapt", "large", "move", 0)
    adaptation, _ = report.render(
        planned(
            tmp_path,
            PlannedCell(cell, identity, {}, "failed", "", record),
            PlannedCell(unreadable, identity, {}, "failed", "not a readable record", None),
        )
    )
    assert adaptation.notes == ("failed (oom: out of memory)", "failed (not a readable record)")


def test_an_unknown_state_is_a_named_error(tmp_path: Path) -> None:
    odd = entry("adapt", "small", 50.0, state="half-done")
    with pytest.raises(RecordError, match="half-done"):
        report.render(planned(tmp_path, odd))


def test_a_shift_without_target_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(FragmentError, match=r"lost\.py: .*target"):
        report.render(planned(tmp_path, shift="lost"))


def test_an_unknown_method_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="adapt"):
        report.write(planned(tmp_path, methods=("adpt",)))
    assert not (tmp_path / "toy").exists()


def test_print_shows_all_tables(tmp_path: Path) -> None:
    stream = io.StringIO()
    report.print_tables(complete(tmp_path), stream)
    text = stream.getvalue()
    assert text.count("\nhere -> there\n") == 2
    assert "**52.5**" in text
    assert "_40.0_" in text


def test_an_ascii_terminal_gets_plain_characters(tmp_path: Path) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    report.print_tables(planned(tmp_path), stream)
    stream.flush()
    assert " - missing " in raw.getvalue().decode("ascii")


def test_importing_the_report_is_light() -> None:
    heavy = "{'pandas', 'numpy', 'jinja2', 'tabulate', 'rich', 'yaml', 'torch', 'mmengine'}"
    code = f"import sys, benchmark.report; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

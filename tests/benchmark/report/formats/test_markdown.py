from __future__ import annotations

import csv
import dataclasses
import io

import pytest
from markdown_it import MarkdownIt

from benchmark.report import generalization, uda
from benchmark.report.formats.aligned import text_width
from benchmark.report.formats.markdown import markdown
from benchmark.report.formats.markdown_layout import GITHUB, escape
from benchmark.report.formats.tidy_csv import FIELDS, tidy
from benchmark.report.grid import Encoder, Grid, Method

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
AWKWARD = [
    "a|b",
    "_leading_ and snake_case",
    "50 % & more",
    "&amp; stays",
    "<script>alert(1)</script>",
    "x > y < z",
    "**bold** `code` ~~gone~~",
    "[1](there) ![2](there)",
    "back\\slash \\| pipe",
    "two\nlines\tand tab",
    "ümläut 幅広 ∅",
]


def table_rows(text: str) -> list[list[str]]:
    """The cells of every table row, as the visible text that a Markdown reader makes of them."""
    rows: list[list[str]] = []
    for token in PARSER.parse(text):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and token.level >= 4 and rows:
            children = token.children or []
            rows[-1].append("".join(c.content for c in children if c.type != "html_inline"))
    return rows


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_come_through_a_markdown_reader(story: Grid, name: str) -> None:
    methods = tuple(
        dataclasses.replace(method, title=name) if method.name == "dacs" else method
        for method in story.methods
    )
    grid = dataclasses.replace(
        story, title=name, methods=methods, encoders=(Encoder("resnet", name),)
    )
    rows = table_rows(markdown(uda(grid)))
    shown = " ".join(name.split())
    assert rows[0] == ["Method", shown, "gain", "gap closed"]
    assert rows[3][0] == shown
    assert {len(row) for row in rows} == {4}


@pytest.mark.parametrize("name", AWKWARD)
def test_escaped_text_is_plain_text(name: str) -> None:
    (_, inline, _) = PARSER.parse(escape(name))
    children = inline.children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == " ".join(name.split())


def test_marks_are_read_as_bold_and_underlined(story: Grid) -> None:
    html = PARSER.render(markdown(uda(story)))
    assert "<strong>52.0</strong> ± 2.6" in " ".join(html.split())
    assert "<ins>44.2</ins> ± 0.2" in html
    assert html.count("<ol>") == 1
    assert html.count("<li>") == len(uda(story).notes)


def test_every_line_of_a_table_has_the_same_width(story: Grid) -> None:
    grid = dataclasses.replace(story, methods=(*story.methods, Method("w", "幅広いé́", "uda")))
    for table in (uda(grid), generalization(grid)):
        widths: list[set[int]] = [set()]
        for line in markdown(table).splitlines():
            if line.startswith("|"):
                widths[-1].add(text_width(line))
            else:
                widths.append(set())
        found = [group for group in widths if group]
        assert found
        assert all(len(group) == 1 and max(group) <= GITHUB.widest for group in found)


def test_decimal_points_stand_in_line(story: Grid) -> None:
    lines = markdown(uda(story)).splitlines()
    rows = [line for line in lines if line.startswith(("| Source-only", "| DACS", "| Oracle"))]
    assert len(rows) == 3
    assert len({line.index(".") for line in rows}) == 1


def test_many_encoders_go_on_below_with_the_row_labels(story: Grid) -> None:
    encoders = tuple(Encoder(f"e{index}", f"Encoder {index}") for index in range(12))
    grid = dataclasses.replace(story, encoders=encoders)
    rows = table_rows(markdown(uda(grid)))
    headings = [row for row in rows if row[0] == "Method"]
    assert len(headings) > 1
    assert [name for row in headings for name in row[1::3]] == [e.title for e in encoders]
    assert all(row[2::3] == ["gain"] * (len(row) // 3) for row in headings)
    assert len(rows) == len(headings) * (1 + len(story.methods))


def test_csv_has_every_value_unrounded(story: Grid) -> None:
    for table in (uda(story), generalization(story)):
        lines = list(csv.DictReader(io.StringIO(tidy(table))))
        cells = [cell for *_, cell in table.cells() if cell.state != "inapplicable"]
        assert len(lines) == len(cells)
        for line, cell in zip(lines, cells, strict=True):
            assert tuple(line) == FIELDS
            assert (float(line["value"]) if line["value"] else None) == cell.value
            assert (float(line["spread"]) if line["spread"] else None) == cell.spread
            assert line["state"] == cell.state
        coordinates = [tuple(line.values())[:6] for line in lines]
        assert len(set(coordinates)) == len(coordinates)


def test_csv_quotes_awkward_reasons(story: Grid) -> None:
    outcomes = {
        cell: dataclasses.replace(outcome, reason='he said "no", twice')
        for cell, outcome in story.outcomes.items()
    }
    text = tidy(uda(dataclasses.replace(story, outcomes=outcomes)))
    notes = {line["notes"] for line in csv.DictReader(io.StringIO(text))}
    assert 'stale (he said "no", twice)' in notes


def test_texts_do_not_depend_on_the_order_of_outcomes(story: Grid) -> None:
    backwards = dict(reversed(list(story.outcomes.items())))
    again = dataclasses.replace(story, outcomes=backwards, seeds=(2, 0, 1))
    for build in (uda, generalization):
        assert markdown(build(again)) == markdown(build(story))
        assert tidy(build(again)) == tidy(build(story))


def test_long_reasons_are_cut(story: Grid) -> None:
    outcomes = {
        cell: dataclasses.replace(outcome, reason="word\n" * 500)
        for cell, outcome in story.outcomes.items()
    }
    table = uda(dataclasses.replace(story, outcomes=outcomes))
    assert max(map(len, table.notes)) < 300
    assert any(note.endswith("...)") for note in table.notes)

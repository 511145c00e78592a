from __future__ import annotations

import dataclasses
import io
import re

import pytest
from every_cell import AWKWARD, every_cell, large

from benchmark.report.formats.aligned import text_width
from benchmark.report.formats.console import WIDTH, console, print_tables
from benchmark.report.grid import Grid
from benchmark.report.model import Table
from benchmark.report.tables import generalization, uda


def rules(text: str) -> list[str]:
    """The line of dashes below each heading: one a printed block."""
    return [line for line in text.splitlines() if re.fullmatch(r"-+(  -+)*", line)]


def test_columns_stand_below_their_headings(story: Grid) -> None:
    for table in (uda(story), generalization(story)):
        lines = console(table).splitlines()
        for number, line in enumerate(lines):
            if line not in rules(console(table)):
                continue
            gaps = [match.start() for match in re.finditer("  (?=-)", line)]
            for row in (lines[number - 1], *lines[number + 1 : number + 6]):
                assert all(row.ljust(WIDTH)[gap : gap + 2] == "  " for gap in gaps), row


def test_decimal_points_stand_in_line(story: Grid) -> None:
    lines = console(uda(story)).splitlines()
    rows = [line for line in lines if line.startswith(("Source-only", "DACS", "Oracle"))]
    assert len(rows) == 3
    assert len({row.index(".") for row in rows}) == 1


def test_what_is_too_wide_goes_on_below_with_the_row_labels() -> None:
    text = console(large(7, 12))
    assert max(map(text_width, text.splitlines())) <= WIDTH
    assert len(rules(text)) > 1
    assert text.count("Method_6") == len(rules(text))
    assert [int(n) for n in re.findall(r"Encoder_(\d+)", text)] == list(range(12))


def test_every_state_mark_and_source_is_told() -> None:
    text = console(every_cell())
    assert text.count(AWKWARD) > 2  # taken literally
    for words in ("**54.2** ± 1.2", "_50.0_", "-3.5* ± 0.5", "not run & <never>", "— failed"):
        assert words in text
    assert "Published† [3]" in text
    assert "[3] † published, not measured here: Someone & al., table 3" in text


def test_a_long_label_is_folded() -> None:
    table = large(2, 2)
    (section,) = table.sections
    claim = "A claim is a sentence " * 6
    rows = tuple(dataclasses.replace(row, labels=(claim,)) for row in section.rows)
    text = console(dataclasses.replace(table, sections=(dataclasses.replace(section, rows=rows),)))
    assert len(rules(text)) == 1
    assert max(map(text_width, text.splitlines())) <= WIDTH
    assert text.count("sentence") == 12


@pytest.mark.parametrize(("encoding", "spread"), [("utf-8", "± 1.2"), ("ascii", "+- 1.2")])
def test_a_terminal_gets_characters_that_it_has(encoding: str, spread: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    print_tables([every_cell(), every_cell()], stream)
    stream.flush()
    text = raw.getvalue().decode(encoding)
    assert text.count(f"**54.2** {spread}") == 2


def test_a_table_without_rows_is_its_caption() -> None:
    assert console(Table("none", "None", ("There is nothing.",), ())) == (
        "None\n====\nThere is nothing.\n"
    )

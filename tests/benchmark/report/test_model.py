from __future__ import annotations

import pytest

from benchmark.report.model import (
    GAIN,
    GAP_CLOSED,
    MIOU,
    Column,
    Footnotes,
    Quantity,
    Row,
    TableCell,
    rank,
)


@pytest.mark.parametrize(
    ("quantity", "value", "printed"),
    [
        (MIOU, 54.25, "54.2"),
        (MIOU, 54.35, "54.4"),
        (MIOU, 0.15, "0.2"),
        (MIOU, 54.250000001, "54.3"),
        (MIOU, 100, "100.0"),
        (MIOU, 1e-17, "0.0"),
        (GAIN, 3.0, "+3.0"),
        (GAIN, -3.05, "-3.0"),
        (GAIN, 0.0, "0.0"),
        (GAIN, -0.04, "0.0"),
        (GAP_CLOSED, 0.625, "62 %"),
        (GAP_CLOSED, 0.635, "64 %"),
        (GAP_CLOSED, 1.2, "120 %"),
        (GAP_CLOSED, -0.001, "0 %"),
        (GAP_CLOSED, -0.25, "-25 %"),
    ],
)
def test_numbers_are_rounded_half_to_even(quantity: Quantity, value: float, printed: str) -> None:
    assert quantity.format(value) == printed


def test_a_spread_has_no_sign() -> None:
    assert GAIN.format_spread(1.25) == "1.2"


def column_of(*values: tuple[float, str, bool]) -> tuple[Row, ...]:
    return tuple(
        Row((str(index),), (TableCell(MIOU, state, value=value, n=1),), ranked=ranked)
        for index, (value, state, ranked) in enumerate(values)
    )


def ranks(rows: tuple[Row, ...], ranked: bool = True) -> list[int | None]:
    done = rank(rows, [Column("mIoU", MIOU, ranked=ranked)])
    return [row.cells[0].rank for row in done]


def test_the_largest_is_first() -> None:
    assert ranks(column_of((1.0, "done", True), (3.0, "done", True), (2.0, "done", True))) == [
        3,
        1,
        2,
    ]


def test_a_difference_that_is_not_printed_decides_nothing() -> None:
    rows = column_of((50.01, "done", True), (50.04, "done", True), (49.0, "done", True))
    assert ranks(rows) == [1, 1, 3]


def test_oracle_and_incomplete_cells_do_not_compete() -> None:
    rows = column_of(
        (60.0, "done", False), (55.0, "partial", True), (50.0, "done", True), (40.0, "done", True)
    )
    assert ranks(rows) == [None, None, 1, 2]


def test_one_cell_alone_is_not_the_best() -> None:
    assert ranks(column_of((60.0, "done", False), (50.0, "done", True))) == [None, None]


def test_a_column_may_have_no_ranks() -> None:
    rows = column_of((60.0, "done", True), (50.0, "done", True))
    assert ranks(rows, ranked=False) == [None, None]


def test_equal_footnotes_share_a_number() -> None:
    footnotes = Footnotes()
    assert [footnotes.number(text) for text in "abacb"] == [1, 2, 1, 3, 2]
    assert footnotes.texts == ("a", "b", "c")


def test_a_footnote_is_one_line() -> None:
    footnotes = Footnotes()
    footnotes.number("two\r\nlines\x00 and\x1b[31m colour")
    assert footnotes.texts == ("two lines and [31m colour",)

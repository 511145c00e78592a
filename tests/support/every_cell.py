"""A table with every kind of cell there is, made by hand."""

from __future__ import annotations

from benchmark.report.model import (
    GAIN,
    MIOU,
    STATES,
    Column,
    RecordRef,
    Row,
    Section,
    Table,
    TableCell,
)

AWKWARD = r"a_b & 50 % <i> > # $x$ ~ ^ \y {z} | ' -> ± — 雪"


def every_cell() -> Table:
    """One section with a row a state, then the marks: rank, interval, difference, words."""
    value = TableCell(MIOU, "done", 54.25, 1.25, n=3, expected=3)
    ref = (RecordRef("dacs__vit__shift__seed0", "id0"),)
    gain = TableCell(GAIN, "done", -3.5, 0.5, 3, 3, interval=(-4.5, -2.5), marked=True, records=ref)
    columns = (
        Column("mIoU", MIOU, (("encoder", "vit"), ("domain", "real")), AWKWARD, "gain", True, (1,)),
        Column("verdict", MIOU, (("domain", "words"),)),
    )
    plain = [
        Row(
            (state,),
            (TableCell(MIOU, state, delta=TableCell(GAIN, state)), TableCell(MIOU, "missing")),
        )
        for state in STATES
        if state not in ("done", "partial")
    ]
    best = TableCell(MIOU, "done", 54.25, 1.25, 3, 3, gain, 1, (2,), ref)
    partial = TableCell(MIOU, "partial", 50.0, None, 1, 3, TableCell(GAIN, "undefined"), 2)
    words = TableCell(MIOU, "done", text="not run & <never>")
    rows = (
        Row((AWKWARD,), (best, words), (("method", "dacs"),)),
        Row(("partial",), (partial, value)),
        Row(("Published",), (value, words), source="Someone & al., table 3", ranked=False),
        *plain,
    )
    section = Section(AWKWARD, ("Method",), columns, rows, (("shift", "s"),))
    return Table("every", f"Every cell: {AWKWARD}", ("One & only.",), (section,), (AWKWARD, "two"))


def large(methods: int, encoders: int) -> Table:
    """A grid with many methods and encoders, each with a value, a gain and a foot-note."""
    columns = tuple(
        Column("mIoU", MIOU, (("encoder", f"e{i}"),), f"Encoder_{i}-L/14", "gain", True)
        for i in range(encoders)
    )
    rows = tuple(
        Row(
            (f"Method_{m}",),
            tuple(
                TableCell(
                    MIOU, "done", 40.0 + m + i, 1.0, 3, 3, TableCell(GAIN, "done", 1.0, 0.1, 3, 3)
                )
                for i in range(encoders)
            ),
            (("method", f"m{m}"),),
        )
        for m in range(methods)
    )
    return Table("large", "Large", ("Many.",), (Section("shift", ("Method",), columns, rows),))

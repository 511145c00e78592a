"""Table 8: claims, and whether the cells of this suite bear them out."""

from __future__ import annotations

from benchmark.claim_formulas import Close
from benchmark.claims import Claim
from benchmark.report.grid import Grid
from benchmark.report.model import (
    GAIN,
    MIOU,
    Column,
    Footnotes,
    Quantity,
    Row,
    Section,
    Table,
    TableCell,
)
from benchmark.report.statistics import seeds as stats
from benchmark.report.tables.wording import measurement
from benchmark.report.verdicts import NOT_REPRODUCED, NOT_RUN, Verdict, judge

COUNT = Quantity("count", "count", decimals=0)
VERDICT = Quantity("verdict", "verdict", decimals=0)
RATIO = Quantity("ratio", "ratio", decimals=2)
QUANTITIES = {"miou": MIOU, "gain": GAIN, "ratio": RATIO, "count": COUNT}


def claims(grid: Grid) -> Table:
    """A row a claim: its published figure, ours, and the verdict.

    A suite that names no claims has a table without sections.
    """
    footnotes = Footnotes()
    rows = tuple(_row(claim, judge(claim, grid), footnotes) for claim in grid.claims)
    columns = (
        Column("Published", MIOU),
        Column("Tolerance", MIOU),
        Column("Ours", MIOU),
        Column("Verdict", VERDICT),
    )
    return Table(
        name="claims",
        title=f"{grid.title}: claims put to the test",
        caption=_caption(grid) if rows else ("This suite names no claims.",),
        sections=(Section("Claims", ("Claim",), columns, rows),) if rows else (),
        notes=footnotes.texts,
    )


def _caption(grid: Grid) -> tuple[str, ...]:
    return (
        *measurement(grid),
        "Published figures are those of the cited source, not measured here.",
        "Reproduced: our mean lies within the tolerance of the published figure or, for a claim "
        "about an order, the order holds with every seed.",
        "Not run: a cell that the claim needs has no result.",
        "Intervals are 95 % over seeds (Student's t).",
    )


def _row(claim: Claim, verdict: Verdict, footnotes: Footnotes) -> Row:
    quantity = QUANTITIES[claim.quantity]
    source = footnotes.number(f"{claim.source}.".replace("..", "."))
    tolerance = TableCell(quantity, "inapplicable")
    if claim.reason:
        # A tolerance has no sign, also where the figure has one.
        tolerance = TableCell(
            MIOU,
            "done",
            claim.tolerance,
            footnotes=(footnotes.number(f"Tolerance: {claim.reason}.".replace("..", ".")),),
        )
    published = TableCell(quantity, "inapplicable")
    if claim.published is not None:
        published = TableCell(quantity, "done", claim.published)
    waiting: tuple[int, ...] = ()
    if verdict.missing:
        waiting = (footnotes.number(f"not run: {'; '.join(verdict.missing)}"),)
    if verdict.word == NOT_REPRODUCED and not isinstance(claim.holds, Close):
        waiting = (footnotes.number(_against(verdict)),)
    return Row(
        labels=(claim.statement,),
        cells=(
            _noted(published, source),
            tolerance,
            _ours(claim, verdict, quantity, footnotes),
            TableCell(VERDICT, "done", text=verdict.word, footnotes=waiting),
        ),
        keys=(("claim", claim.name),),
        ranked=False,
    )


def _against(verdict: Verdict) -> str:
    """Whether an order fails with every seed, with some, or only with all of them together."""
    if not verdict.against:
        return "holds with each seed alone, but not for the same methods with all of them"
    kept = [seed for seed in verdict.figure if seed not in verdict.against]
    if not kept:
        return "does not hold with any seed"
    with_some = ", ".join(map(str, kept))
    return f"holds with seed {with_some} alone, not with {', '.join(map(str, verdict.against))}"


def _noted(cell: TableCell, number: int) -> TableCell:
    """``cell`` with the foot-note of the claim's source, also where no figure is published."""
    if cell.value is None:
        return TableCell(VERDICT, "done", text="no figure", footnotes=(number,))
    return TableCell(cell.quantity, cell.state, cell.value, footnotes=(number,))


def _ours(claim: Claim, verdict: Verdict, quantity: Quantity, footnotes: Footnotes) -> TableCell:
    if verdict.word == NOT_RUN:
        return TableCell(quantity, "missing", expected=claim.seeds)
    marks: tuple[int, ...] = ()
    if claim.quantity == "gain" and verdict.interval is not None:
        low, high = verdict.interval
        if low <= 0 <= high:
            marks = (footnotes.number("the 95 % interval over seeds contains 0"),)
    return TableCell(
        quantity,
        "done",
        value=stats.mean(verdict.figure),
        spread=verdict.spread,
        n=len(verdict.figure),
        expected=max(claim.seeds, len(verdict.figure)),
        footnotes=marks,
        interval=verdict.interval,
        records=verdict.records,
    )

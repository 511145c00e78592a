"""The claims table and its verdicts, on numbers that can be checked by hand."""

from __future__ import annotations

import dataclasses
import math
import statistics
from pathlib import Path

import pytest
from scored import scored

from benchmark.cell import Cell
from benchmark.claim_formulas import (
    Close,
    Combined,
    Expression,
    Flips,
    Greater,
    Loss,
    Miou,
    Number,
)
from benchmark.claims import Claim
from benchmark.report.grid import Domain, Encoder, Grid, Method, Outcome, Shift
from benchmark.report.tables import claims as table_of
from benchmark.report.verdicts import NOT_REPRODUCED, NOT_RUN, REPRODUCED, judge

SHIFT = Shift("s", "s", Domain("real", "real"), (Domain("fog", "fog"), Domain("night", "night")))
# Target mIoU and the mean of the unseen domains, by seed.
VALUES = {
    "a": ((50.0, 52.0, 54.0), (30.0, 31.0, 32.0)),
    "b": ((45.0, 51.0, 48.0), (35.0, 33.0, 34.0)),
    "c": ((40.0, 41.0, 42.0), (31.0, 30.0, 33.0)),
}


def grid(**changes: object) -> Grid:
    outcomes = {
        Cell(method, "e", "s", seed): Outcome(
            "done",
            scored({"real": target[seed], "fog": unseen[seed] + 2, "night": unseen[seed] - 2}),
        )
        for method, (target, unseen) in VALUES.items()
        for seed in range(3)
    }
    methods = tuple(Method(name, name.upper()) for name in VALUES)
    made = Grid("G", methods, (Encoder("e", "E"),), (SHIFT,), (0, 1, 2), outcomes)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def cell(method: str, domains: str = "target") -> Miou:
    return Miou(method, "e", "s", (domains,))


def minus(left: Expression, right: Expression) -> Combined:
    return Combined("difference", (left, right))


def claim(figure: Expression, holds: Close | Greater, **changes: object) -> Claim:
    made = Claim(
        "n", "T", "S.", "a paper", figure, holds, "miou", 3, None, 0.0, "", "", Path("n.yaml")
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def test_a_published_figure_is_reproduced_within_its_tolerance() -> None:
    figure = cell("a")  # mean 52
    for published, tolerance, word in (
        (53.0, 1.0, REPRODUCED),
        (53.1, 1.0, NOT_REPRODUCED),
        (51.0, 1.0, REPRODUCED),
        (52.1, 0.1, REPRODUCED),
    ):
        made = claim(figure, Close(figure, Number(published)), tolerance=tolerance)
        assert judge(made, grid()).word == word


def test_a_ratio_of_losses_takes_the_last_running_mean_of_their_curves() -> None:
    def with_curve(outcome: Outcome, curve: list[float]) -> Outcome:
        return dataclasses.replace(outcome, diagnostics={"curves": {"loss_distance": curve}})

    ends = {"a": (6.0, 8.0, 9.0), "b": (2.0, 2.0, 3.0), "c": (0.0, 0.0, 0.0)}
    made = grid()
    outcomes = {
        # Only the last ten points count.
        cell: with_curve(each, [99.0] * 15 + [ends[cell.method][cell.seed]] * 10)
        for cell, each in made.outcomes.items()
    }
    made = dataclasses.replace(made, outcomes=outcomes)
    first, second, none = (Loss(method, "e", "s", "distance") for method in "abc")
    figure = Combined("ratio", (first, second))
    verdict = judge(claim(figure, Greater(figure, Number(2.9))), made)
    assert (verdict.word, verdict.figure) == (REPRODUCED, {0: 3.0, 1: 4.0, 2: 3.0})
    assert judge(claim(figure, Greater(figure, Number(3.0))), made).word == NOT_REPRODUCED
    nothing = Combined("ratio", (first, none))
    assert judge(claim(nothing, Greater(nothing, Number(1.0))), made).word == NOT_RUN


def test_a_condition_is_read_from_the_domains_groups() -> None:
    # Night at 20, 22 and 24 on the target, 10 on the unseen domain; snow is nowhere.
    outcomes = {
        cell: dataclasses.replace(
            each,
            metrics={
                **each.metrics,
                "real": dataclasses.replace(
                    each.metrics["real"], groups={"night": 20.0 + 2 * cell.seed, "fog": math.nan}
                ),
                "fog": dataclasses.replace(each.metrics["fog"], groups={"night": 10.0}),
            },
        )
        for cell, each in grid().outcomes.items()
    }
    made = grid(outcomes=outcomes)
    night = Miou("a", "e", "s", condition="night")
    elsewhere = Miou("a", "e", "s", ("fog",), "night")
    figure = minus(night, elsewhere)
    verdict = judge(claim(figure, Greater(figure, Number(9.9))), made)
    assert (verdict.word, verdict.figure) == (REPRODUCED, {0: 10.0, 1: 12.0, 2: 14.0})
    for name in ("snow", "fog"):  # not there, and there without a number
        absent = Miou("a", "e", "s", condition=name)
        verdict = judge(claim(absent, Greater(absent, Number(0))), made)
        assert (verdict.word, verdict.missing) == (
            NOT_RUN,
            (f"a / e / s by {name} seed 0, 1, 2",),
        )


def test_figure_spread_and_interval_are_those_over_seeds() -> None:
    figure = minus(cell("a"), cell("b"))  # 5, 1, 6
    verdict = judge(claim(figure, Greater(figure, Number(0))), grid())
    assert verdict.word == REPRODUCED
    assert verdict.figure == {0: 5.0, 1: 1.0, 2: 6.0}
    assert verdict.spread == pytest.approx(statistics.stdev([5, 1, 6]))
    # t of 97.5 % with two degrees of freedom is 4.30265 in any table.
    half = 4.30265 * statistics.stdev([5, 1, 6]) / math.sqrt(3)
    assert verdict.interval == pytest.approx((4 - half, 4 + half), abs=1e-3)


def test_an_order_must_hold_with_every_seed() -> None:
    figure = minus(cell("b"), cell("a"))
    assert judge(claim(figure, Greater(figure, Number(-5.5))), grid()).word == NOT_REPRODUCED
    assert judge(claim(figure, Greater(figure, Number(-6.5))), grid()).word == REPRODUCED


def test_the_largest_is_chosen_by_the_mean_and_not_seed_by_seed() -> None:
    figure = Combined("largest", (cell("a", "unseen"), cell("b", "unseen"), cell("c", "unseen")))
    verdict = judge(claim(figure, Greater(figure, Number(0))), grid())
    assert list(verdict.figure.values()) == [35.0, 33.0, 34.0]
    spanned = Combined("range", figure.parts)
    verdict = judge(claim(spanned, Greater(spanned, Number(0))), grid())
    assert list(verdict.figure.values()) == [5.0, 2.0, 2.0]  # b minus a


def test_flips_count_pairs_that_are_steady_over_seeds() -> None:
    # a leads b on the target and trails on the unseen domains with every seed. a and c change
    # places on the unseen domains between seeds; b leads c on both with every seed.
    figure = Flips(("a", "b", "c"), "e", "s")
    verdict = judge(claim(figure, Greater(figure, Number(0))), grid())
    assert set(verdict.figure.values()) == {1.0}
    assert (verdict.spread, verdict.interval) == (None, None)
    assert verdict.word == REPRODUCED


def test_a_claim_without_its_cells_is_not_run_and_says_which() -> None:
    figure = minus(cell("a"), cell("b"))
    made = claim(figure, Greater(figure, Number(0)))
    full = grid()
    missing = {key: value for key, value in full.outcomes.items() if key.method != "b"}
    verdict = judge(made, dataclasses.replace(full, outcomes=missing))
    assert verdict.word == NOT_RUN
    assert verdict.missing == ("b / e / s seed 0, 1, 2",)
    three = minus(minus(cell("a"), cell("b")), cell("c"))
    missing = {key: value for key, value in full.outcomes.items() if key.method == "a"}
    verdict = judge(
        claim(three, Greater(three, Number(0))), dataclasses.replace(full, outcomes=missing)
    )
    assert verdict.missing == ("b, c / e / s seed 0, 1, 2",)
    verdict = judge(made, dataclasses.replace(full, methods=full.methods[:1]))
    assert verdict.missing == ("the suite has no method b",)
    one_seed = judge(made, dataclasses.replace(full, seeds=(0,)))
    assert one_seed.missing == ("its cells share 1 of the 3 seeds that it needs",)
    assert judge(
        dataclasses.replace(made, seeds=1), dataclasses.replace(full, seeds=(0,))
    ).word == (REPRODUCED)


def test_another_protocol_or_length_cannot_test_a_published_figure() -> None:
    made = claim(cell("a"), Close(cell("a"), Number(52)), published=52.0, protocol="hrda")
    verdict = judge(made, grid(evaluation="daformer"))
    assert (verdict.word, verdict.missing) == (
        NOT_RUN,
        ("the figure was scored as in hrda, this suite scores by daformer",),
    )
    assert judge(made, grid(evaluation="hrda")).word == REPRODUCED
    short = judge(made, grid(evaluation="hrda", iterations=10))
    assert short.missing == ("trained for 10 iterations only",)


def test_a_method_of_another_protocol_tests_a_figure_that_was_scored_by_it() -> None:
    alone = claim(cell("a"), Close(cell("a"), Number(52)), published=52.0, protocol="hrda")
    mixed = grid(evaluation="daformer", evaluations={"a": "hrda"})
    assert judge(alone, mixed).word == REPRODUCED
    both = claim(minus(cell("a"), cell("b")), Close(cell("a"), Number(52)), protocol="hrda")
    assert judge(both, mixed).missing == (
        "the figure was scored as in hrda, this suite scores by hrda and daformer",
    )


def test_the_table_has_a_row_a_claim() -> None:
    figure = minus(cell("a"), cell("b"))
    run = claim(
        cell("a"),
        Close(cell("a"), Number(55)),
        published=55.0,
        tolerance=1.0,
        reason="their seeds differ",
    )
    order = claim(figure, Greater(figure, Number(0)), quantity="gain", statement="A beats B.")
    waiting = claim(cell("z"), Close(cell("z"), Number(1)), published=1.0)
    table = table_of(grid(claims=(run, order, waiting)))
    (section,) = table.sections
    words = [row.cells[3].text for row in section.rows]
    assert words == [NOT_REPRODUCED, REPRODUCED, NOT_RUN]
    assert [row.labels[0] for row in section.rows] == ["S.", "A beats B.", "S."]
    published, tolerance, ours, _ = section.rows[0].cells
    assert (published.value, tolerance.value, ours.value, ours.n) == (55.0, 1.0, 52.0, 3)
    assert table.notes[tolerance.footnotes[0] - 1] == "Tolerance: their seeds differ."
    assert section.rows[2].cells[2].state == "missing"
    (number,) = section.rows[2].cells[3].footnotes
    assert table.notes[number - 1] == "not run: the suite has no method z"
    contains = section.rows[1].cells[2].footnotes
    assert [table.notes[each - 1] for each in contains] == [
        "the 95 % interval over seeds contains 0"
    ]


def test_a_suite_without_claims_has_no_section() -> None:
    assert table_of(grid()).sections == ()


def test_an_order_that_fails_says_with_which_seeds() -> None:
    """Of b over a on unseen domains: 5, 2 and 2 points; of b over c: 4, 3 and 1."""

    def note(holds: Greater, figure: Expression, seeds: int = 3) -> str:
        made = claim(figure, holds, seeds=seeds)
        table = table_of(grid(claims=(made,)))
        (number,) = table.sections[0].rows[0].cells[3].footnotes
        return table.notes[number - 1]

    unseen = minus(cell("b", "unseen"), cell("a", "unseen"))
    assert note(Greater(unseen, Number(3.0)), unseen) == "holds with seed 0 alone, not with 1, 2"
    assert note(Greater(unseen, Number(9.0)), unseen) == "does not hold with any seed"


def test_an_order_may_flip_with_each_seed_and_never_for_the_same_pair() -> None:
    values = {"a": ((2.0, 1.0), (1.0, 1.0)), "b": ((1.0, 2.0), (2.0, 1.5)),
              "c": ((0.0, 3.0), (0.5, 1.0))}  # fmt: skip
    outcomes = {
        Cell(method, "e", "s", seed): Outcome(
            "done", scored({"real": target[seed], "fog": unseen[seed], "night": unseen[seed]})
        )
        for method, (target, unseen) in values.items()
        for seed in range(2)
    }
    figure = Flips(("a", "b", "c"), "e", "s")
    made = claim(figure, Greater(figure, Number(0.0)), quantity="count", seeds=2)
    table = table_of(grid(outcomes=outcomes, seeds=(0, 1), claims=(made,)))
    (number,) = table.sections[0].rows[0].cells[3].footnotes
    assert table.notes[number - 1].startswith("holds with each seed alone, but not for the same")

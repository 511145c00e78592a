"""Claim files: what they hold, and what each mistake in one is answered with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmark import claims
from benchmark import suite as suites
from benchmark.claim_formulas import Close, Combined, Flips, Greater, Loss, Miou, Number, Several
from benchmark.errors import SuiteError, UsageError

BETTER = "{miou: {method: better, encoder: small, shift: there}}"
GOOD = "{miou: {method: good, encoder: small, shift: there, domains: unseen}}"
MANY = "{method: good, encoder: small, shift: there, condition: night"
DEFAULTS = {
    "title": "T",
    "statement": "S.",
    "source": "a paper",
    "figure": GOOD,
    "holds": "{greater: [figure, 0]}",
    "seeds": "1",
}


def write(configs: Any, text: str = "", without: str = "") -> Path:
    given = {line.partition(":")[0] for line in text.splitlines()} | {without}
    kept = [f"{key}: {value}" for key, value in DEFAULTS.items() if key not in given]
    path: Path = configs.root / "claims" / "mine.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([*kept, text]) + "\n")
    return path


def test_a_claim_is_read_into_a_formula(configs: Any) -> None:
    write(
        configs,
        f"figure: {{difference: [{BETTER}, {GOOD}]}}\n"
        "published: 10\ntolerance: 2\nreason: seeds\nquantity: gain\n"
        "holds: {all: [{close: [figure, published]}, {any: [{greater: [figure, tolerance]}]}]}\n",
    )
    claim = claims.load("mine")
    better = Miou("better", "small", "there")
    good = Miou("good", "small", "there", ("unseen",))
    figure = Combined("difference", (better, good))
    assert claim.figure == figure
    assert claim.holds == Several(
        True,
        (Close(figure, Number(10.0)), Several(False, (Greater(figure, Number(2.0)),))),
    )
    assert (claim.published, claim.tolerance, claim.quantity, claim.seeds) == (10.0, 2.0, "gain", 1)
    assert claim.needs() == (better, good)


def test_a_ratio_of_losses(configs: Any) -> None:
    loss = "{{loss: {{method: {0}, encoder: small, shift: there, term: mix}}}}"
    write(configs, f"figure: {{ratio: [{loss.format('better')}, {loss.format('good')}]}}")
    parts = tuple(Loss(method, "small", "there", "mix") for method in ("better", "good"))
    claim = claims.load("mine")
    assert claim.figure == Combined("ratio", parts)
    assert claim.facts()["cells"] == ["better / small / there", "good / small / there"]


@pytest.mark.parametrize(("given", "domains"), [("", ("target",)), ("domains: [far], ", ("far",))])
def test_a_condition_of_a_single_domain(configs: Any, given: str, domains: tuple[str]) -> None:
    configs.fragment("domain", "far", "")
    miou = f"{{method: good, encoder: small, shift: there, {given}condition: night}}"
    write(configs, f"figure: {{miou: {miou}}}")
    assert claims.load("mine").figure == Miou("good", "small", "there", domains, "night")


def test_flips_need_target_and_unseen_of_every_method(configs: Any) -> None:
    write(configs, "figure: {order_flips: {methods: [good, bad], encoder: small, shift: there}}")
    claim = claims.load("mine")
    assert claim.figure == Flips(("good", "bad"), "small", "there")
    assert {(each.method, each.domains) for each in claim.needs()} == {
        (method, (region,)) for method in ("good", "bad") for region in ("target", "unseen")
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("figur: 1", r"claims/mine.yaml: unknown key 'figur'; closest: 'figure'"),
        ("figure: {ratio: [1, 2]}", r"mine.yaml: figure: ratio\[1\]: expected a loss to divide by"),
        ("figure: {loss: {method: good}}", r"figure: loss: key 'encoder' is missing"),
        ("figure: {mead: [1]}", r"mine.yaml: figure: unknown operation 'mead'; closest: 'mean'"),
        ("figure: {mean: []}", r"figure: mean: expected a non-empty list"),
        ("figure: {difference: [1]}", r"figure: difference: expected a list of two"),
        ("figure: published", r"figure: unknown word 'published'; closest: 'tolerance'"),
        ("figure: {mean: [1], range: [1]}", r"figure: expected a mapping with one of miou"),
        ("figure: __import__('os')", r"figure: unknown word"),
        (
            "figure: {miou: {method: goood, encoder: small, shift: there}}",
            r"figure: miou: key 'method': unknown method 'goood'; closest: 'good'",
        ),
        ("figure: {miou: {method: good, encoder: small}}", r"figure: miou: key 'shift' is missing"),
        (
            f"figure: {{miou: {MANY}, domains: unseen}}}}",
            r"key 'condition': expected one domain, as conditions are a domain's own",
        ),
        (f"figure: {{miou: {MANY}, domains: [far, here]}}}}", r"key 'condition': expected one dom"),
        ("figure: {miou: 3}", r"figure: miou: expected a mapping, found 3"),
        ("holds: {greater: [figure]}", r"holds: greater: expected a list of two"),
        ("holds: {is: [1, 2]}", r"holds: unknown operation 'is'"),
        ("holds: yes", r"holds: expected a mapping with one of close, greater, all, any"),
        ("tolerance: 1", r"a tolerance needs a reason"),
        ("tolerance: -1\nreason: r", r"'tolerance': expected no negative number"),
        ("seeds: 0", r"key 'seeds': expected a whole number from 1"),
        ("quantity: percent", r"key 'quantity': expected one of miou, gain, ratio, count"),
        ("protocol: fast", r"key 'protocol': unknown evaluation 'fast'"),
        ("title: !!python/name:os.system x", r"a claim holds only lists"),
    ],
)
def test_every_mistake_has_its_message(configs: Any, text: str, message: str) -> None:
    write(configs, text)
    with pytest.raises(SuiteError, match=message):
        claims.load("mine")


def test_a_formula_has_a_bottom(configs: Any) -> None:
    write(configs, "figure: " + "{mean: [" * 40 + "1" + "]}" * 40)
    with pytest.raises(SuiteError, match="nested more than 20 deep"):
        claims.load("mine")


def test_an_unknown_claim_names_the_closest(configs: Any) -> None:
    write(configs)
    with pytest.raises(UsageError, match="unknown claim 'mein'; closest: 'mine'"):
        claims.load("mein")


def test_a_suite_names_its_claims(configs: Any) -> None:
    write(configs)
    configs.suite("claims: [mine]")
    assert suites.load("tiny").claims == ("mine",)
    configs.suite("claims: [nine]")
    with pytest.raises(SuiteError, match="key 'claims': unknown claim 'nine'; closest: 'mine'"):
        suites.load("tiny")


def test_list_and_show_know_claims(udabench: Any, configs: Any) -> None:
    write(configs, "published: 12.5")
    listed = udabench("list", "claims")
    assert (listed.returncode, listed.stdout) == (0, "  mine  S.\n")
    shown = udabench("show", "claim/mine")
    assert "claim mine: T" in shown.stdout
    assert "published: 12.5" in shown.stdout
    assert "good / small / there" in shown.stdout

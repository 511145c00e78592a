"""Commands that hints name: whoever copies one runs the same cells in the same place."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.commands import again
from benchmark.surface import parser

PLAN = st.fixed_dictionaries(
    {},
    optional={
        "--only": st.just("method=dacs+oracle"),
        "--out": st.sampled_from(["results", "a folder", "it's"]),
        "--seeds": st.sampled_from(["1", "3"]),
        "--iterations": st.just("5"),
        "--encoder": st.just("timm:test_vit.random"),
        "--data-root": st.just("/data/of mine"),
        "--weights": st.just("~/weights"),
        "--price-per-hour": st.just("2.5"),
        "--costs-from": st.just("costs"),
    },
)


@given(PLAN)
def test_the_command_leads_to_the_same_cells(typed: dict[str, str]) -> None:
    words = [word for pair in typed.items() for word in pair]
    before = parser().parse_args(["plan", "tiny", *words])
    program, *said = shlex.split(again.command(before, "run"))
    after = vars(parser().parse_args(said))
    assert program == "udabench"
    shared = set(vars(before)) & set(after) - {"module", "function"}
    assert {"suite", "only", "out", "seeds", "iterations", "encoder", "data_root"} <= shared
    assert {key: after[key] for key in shared} == {key: vars(before)[key] for key in shared}


@pytest.mark.parametrize(
    ("typed", "name", "changed", "said"),
    [
        ("run tiny --out results/local --threads 1", "run", {}, "udabench run tiny"),
        (
            "run tiny --rerun failed",
            "run",
            {"rerun": ["failed", "stale"]},
            "udabench run tiny --rerun failed --rerun stale",
        ),
        (
            "run tiny --engine slurm --slurm mem=32 --slurm cpus=4 --no-wait --compile",
            "run",
            {"no_wait": False},
            "udabench run tiny --engine slurm --compile --slurm mem=32 --slurm cpus=4",
        ),
        (
            "run tiny --engine slurm --seeds 2 --out here",
            "cancel",
            {},
            "udabench cancel tiny --out here --seeds 2",
        ),
    ],
)
def test_what_is_written(typed: str, name: str, changed: dict[str, Any], said: str) -> None:
    assert again.command(parser().parse_args(typed.split()), name, **changed) == said


def test_a_plugin_is_named_again(udabench: Any, configs: Any) -> None:
    configs.suite("")
    found = udabench("plan", "tiny", "--plugin", "json", "--out", "there")
    assert "'udabench --plugin json run tiny --out there' would start 1 of them" in found.stdout

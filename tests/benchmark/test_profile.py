"""Profiles: jobs from fragments, results from what the data plane found, and their tables."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from benchmark import profile, profile_results, profile_tables
from benchmark import suite as suites
from benchmark.errors import UsageError
from benchmark.profile import Combination, Terms
from benchmark.weights import with_weights

FOUND = {
    "seconds": {"ours": [2.0, 4.0, 3.0], "watched": [2.2, 4.0, 3.0], "plain": [4.0, 6.0, 9.0]},
    "peak_memory_mib": 1500.0,
    "empty_memory_mib": 500.0,
    "precision": "fp32",
    "device": "cpu",
    "agreement": {"ours": {}, "plain": {}, "relative_difference": 3e-7},
    "torch": "2",
    "phases": {"source": 0.5, "mix": 0.25, "other": 0.25},
    "parameters": 2_500_000,
    "trainable_parameters": 2_500_000,
    "method_parameters": 5_000_000,
    "gmacs_forward": 10.0,
    "gmacs_step": 150.0,
    "waits": {"_unique2": 1},
    "matrix_tflops": 0.2,
    "peak_tflops": None,
}


def job(method: str = "dacs", encoder: str = "mit-b5", suite: str = "paper", **terms: Any) -> Any:
    (made,) = profile.combinations(suites.load(suite), [method], [encoder], Terms(**terms))
    return made.job


def test_a_job_has_the_settings_of_the_cell_and_random_weights() -> None:
    made = job("daformer")
    assert made["size"] == [512, 512]
    assert made["batch"] == 2
    assert made["target"] is True
    assert made["side"] == "ours"
    assert made["model"]["type"] == "DAFormer"
    assert made["optim_wrapper"]["optimizer"]["lr"] == 6e-4
    assert with_weights(made["model"]) == []
    assert made["model"]["segmentor"]["backbone"]["pretrained"] is None
    json.dumps(made)


def test_supervised_methods_are_given_no_target() -> None:
    assert job("source-only")["target"] is False
    assert job("oracle")["target"] is False


def test_a_crop_scales_what_methods_say_in_pixels() -> None:
    small = job("daformer", crop=256)
    assert small["size"] == [256, 256]
    assert small["model"]["data_preprocessor"]["size"] == [256, 256]
    assert small["model"]["ignored_rows"] == {"top": 7, "bottom": 60}
    # The suite gives MIC crops of 1024x1024, so 256 is a quarter of them.
    whole = job("mic")
    assert whole["size"] == [1024, 1024]
    masking = job("mic", crop=256)["model"]["masking"]
    assert masking["size"] == whole["model"]["masking"]["size"] // 4
    suite = dataclasses.replace(suites.load("paper"), protocol="hrda")
    (made,) = profile.combinations(suite, ["mic-hrda"], ["mit-b5"], Terms(crop=512))
    assert made.job["model"]["segmentor"]["detail_size"] == [256, 256]


@pytest.mark.parametrize(
    ("precision", "kind"), [("bf16", "AutocastOptimWrapper"), ("fp32", "OptimWrapper")]
)
def test_the_precision_is_the_students(precision: str, kind: str) -> None:
    assert job(precision=precision)["optim_wrapper"]["type"] == kind
    parts = job("advent", precision=precision)["optim_wrapper"]
    assert parts["student"]["type"] == kind
    assert parts["discriminator"]["type"] == "OptimWrapper"


def test_terms_reach_the_job() -> None:
    made = job(batch=1, steps=3, warmup=0, repeats=2, device="cuda", threads=4,
               against_baseline=True)  # fmt: skip
    wanted = {"batch": 1, "steps": 3, "warmup": 0, "repeats": 2, "device": "cuda", "threads": 4}
    assert {key: made[key] for key in wanted} == wanted
    assert made["side"] == "both"


def test_a_baseline_is_asked_only_of_methods_that_have_one() -> None:
    with pytest.raises(UsageError, match=r"no plain step of mic; choose from source-only, .*dacs"):
        job("mic", against_baseline=True)


def rows(*found: dict[str, Any], **terms: Any) -> list[Any]:
    suite = suites.load("demo")
    wanted = profile.combinations(suite, ["dacs"], ["resnet-mini"], Terms(**terms))
    answers = iter(found)
    return list(profile_results.rows(wanted, lambda _: dict(next(answers))))


def test_pace_is_the_median_and_ratios_are_taken_repeat_by_repeat() -> None:
    sizes = ({"peak_memory_mib": 900.0}, {"peak_memory_mib": 1300.0})
    alone = [{**size, "empty_memory_mib": 500.0} for size in sizes]
    (row,) = rows(FOUND, *alone, against_baseline=True)
    assert row["seconds_per_iteration"]["median"] == 3.0
    assert (row["seconds_per_iteration"]["low"], row["seconds_per_iteration"]["high"]) == (2.0, 4.0)
    assert row["images_per_second"] == pytest.approx(8 / 3.0)  # 4 of each domain
    assert row["watching"]["median"] == 1.0
    assert row["utilisation"]["tflops"] == pytest.approx(0.1)
    assert row["utilisation"]["of_matrix_rate"] == pytest.approx(0.5)
    assert row["utilisation"]["of_peak"] is None
    base = row["baseline"]
    assert base["speedup"]["median"] == 2.0  # of 2, 1.5 and 3
    assert base["seconds_per_iteration"]["median"] == 6.0
    assert base["memory_ratio"] == 0.5
    assert (base["own_peak_memory_mib"], base["peak_memory_mib"]) == (900.0, 1300.0)
    assert base["loss_difference"] == 3e-7


def test_memory_is_asked_of_each_step_alone_and_briefly() -> None:
    asked: list[Any] = []

    def run(wanted: Any) -> dict[str, Any]:
        asked.append(wanted)
        return dict(FOUND)

    wanted = profile.combinations(
        suites.load("demo"), ["dacs"], ["resnet-mini"], Terms(against_baseline=True)
    )
    list(profile_results.rows(wanted, run))
    assert [(each["side"], each["steps"]) for each in asked] == [
        ("both", 20), ("ours", 1), ("plain", 1),
    ]  # fmt: skip


def test_a_failure_is_a_row_without_this_machines_places() -> None:
    from pathlib import Path

    (row,) = rows({"error": f"RuntimeError: out of memory in {Path.home()}/x"})
    assert row["state"] == "failed"
    assert row["reason"] == "RuntimeError: out of memory in ~/x"


def test_a_process_that_dies_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile.sys, "executable", "/bin/false")
    assert "the process died" in profile.in_own_process({"threads": 1})["error"]


def test_the_tables_show_every_number_once_and_say_what_is_missing() -> None:
    terms = Terms(against_baseline=True)
    combination = Combination("dacs", "mit-b5", job(against_baseline=True))
    found = profile_results.row(combination, {**FOUND, "alone": [(900.0, 500.0), None]})
    failed = profile_results.row(combination, {"error": "killed"})
    document = profile_results.document(suites.load("paper"), terms, [found, failed], "udabench p")
    text = profile_tables.markdown(json.loads(json.dumps(document)))
    costs = next(line for line in text.splitlines() if line.startswith("| dacs"))
    cells = [cell.strip() for cell in costs.strip("|").split("|")]
    assert cells == ["dacs", "mit-b5", "512x512", "fp32", "2", "2.5", "10", "150", "3", "2-4",
                     "1.33", "1,500", "50 %", "1"]  # fmt: skip
    assert "| 2.00 | 1.50-3.00 | 900 | | | 3.0e-07 |" in " ".join(text.split())
    assert "dacs / mit-b5: not measured, killed" in text
    assert "50.0" in text  # the share of source


def test_a_document_names_no_host_and_no_folder() -> None:
    import socket
    from pathlib import Path

    document = profile_results.document(suites.load("demo"), Terms(), [], "udabench profile")
    text = json.dumps(document)
    assert str(Path.home()) + "/" not in text
    assert str(Path.cwd()) not in text
    assert len(socket.gethostname()) <= 5 or socket.gethostname() not in text

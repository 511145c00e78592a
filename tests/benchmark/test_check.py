"""``udabench check``: what it makes of a name, what it sends to the kit, and what it prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from benchmark import check, cli, registry
from benchmark.errors import FragmentError, UsageError
from benchmark.weights import with_weights
from mmseg_ext.conformance.job import Job

FOUND = [
    {"check": "card", "state": "ok", "detail": "complete", "seconds": 0.001},
    {"check": "strides", "state": "does not apply", "detail": "any encoder", "seconds": 0.1},
]
FAILED = {"check": "resume", "state": "failed", "detail": "differs; do this", "seconds": 2.34}


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """Answers in place of the data plane; the jobs it is given."""
    jobs: list[Mapping[str, Any]] = []

    def answer(made: Mapping[str, Any]) -> list[dict[str, Any]]:
        jobs.append(made)
        return FOUND if made["name"] == "dacs" else [*FOUND, FAILED]

    monkeypatch.setattr(check, "in_own_process", answer)
    return jobs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dacs", ("method", "dacs")),
        ("mit-b5", ("encoder", "mit-b5")),
        ("encoders/mit-b5", ("encoder", "mit-b5")),
        ("method/mic", ("method", "mic")),
        ("timm:vit_tiny_patch16_224.random", ("encoder", "timm:vit_tiny_patch16_224.random")),
    ],
)
def test_what_a_name_means(text: str, expected: tuple[str, str]) -> None:
    assert check.kind_of(text) == expected


@pytest.mark.parametrize("text", ["dac", "minidrive", "method/mit-b5", "suite/demo"])
def test_names_of_nothing_that_can_be_checked(text: str) -> None:
    with pytest.raises(UsageError, match=r"unknown .*closest: "):
        check.kind_of(text)


METHODS = [n for n in registry.names("method") if registry.find("method", n).base is None]


@pytest.mark.parametrize("name", METHODS)
def test_the_job_of_a_method(name: str) -> None:
    document = check.job("method", name, "resnet-mini")
    job = Job.of(json.loads(json.dumps(document)))
    card = registry.find("method", name).card
    assert job.target is card["target_images"]
    assert job.imports == []
    assert job.size == (64, 128)
    detail = job.model["segmentor"].get("detail_size", [32, 64])
    assert all(side < whole for side, whole in zip(detail, job.size, strict=True))


def test_a_variant_of_what_minidrive_leaves_out_is_refused() -> None:
    assert check.job("method", "daformer-rcs-off", "resnet-mini")["model"]["type"] == "DAFormer"
    with pytest.raises(FragmentError, match=r"fd-tower.py: changes model.feature_distance, which"):
        check.job("method", "daformer-fd-tower", "resnet-mini")


def test_the_job_of_an_encoder_has_random_weights_and_the_encoders_rates() -> None:
    job = check.job("encoder", "mit-b5", "dacs")
    assert job["kind"] == "encoder"
    assert with_weights(job["model"]) == []
    assert job["model"]["segmentor"]["backbone"]["pretrained"] is None
    assert job["optim_wrapper"]["optimizer"]["lr"] == 6e-4
    assert job["card"]["title"] == "MiT-B5"


def test_verdicts_line_by_line(kit: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "dacs"]) == cli.EXIT_DONE
    assert capsys.readouterr().out.splitlines() == [
        "method dacs (udabench), with encoder resnet-mini, on the CPU",
        "  ok              card     complete",
        "  does not apply  strides  any encoder",
        "dacs: 1 ok, 0 failed, 1 does not apply (0 s)",
    ]
    assert cli.main(["check", "resnet-mini", "--with", "mic"]) == cli.EXIT_FAILED
    printed = capsys.readouterr().out
    assert "encoder resnet-mini (udabench), with method mic" in printed
    assert "  failed          resume   differs; do this" in printed
    assert kit[-1]["model"]["type"] == "MIC"


def test_verdicts_for_programs(kit: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "minent", "--json"]) == cli.EXIT_FAILED
    document = json.loads(capsys.readouterr().out)
    assert document.pop("seconds") >= 0
    assert document == {
        "kind": "method",
        "name": "minent",
        "origin": "udabench",
        "with": {"encoder": "resnet-mini", "protocol": "minidrive"},
        "passed": False,
        "checks": [{**FOUND[0], "seconds": 0.0}, FOUND[1], FAILED],
    }


def test_a_broken_fragment_is_a_failed_check(
    configs: Any, kit: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configs.fragment("method", "mine", "model = dict(type='DACS')\n")
    path.write_text("card = dict(summary='No title.')\n")
    configs.fragment("encoder", "resnet-mini")
    registry.forget()
    assert cli.main(["check", "mine"]) == cli.EXIT_FAILED
    assert "card['title'] must be a non-empty text" in " ".join(capsys.readouterr().out.split())
    assert kit == []


def test_a_kit_that_dies_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check.sys, "executable", "/bin/false")
    (found,) = check.in_own_process({})
    assert found["state"] == "failed"
    assert found["detail"] == "the process died: silently"

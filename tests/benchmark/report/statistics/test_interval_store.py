from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benchmark.errors import RecordError
from benchmark.report.statistics import interval_store
from benchmark.report.statistics.interval_store import Question

ONE = Question((("aa", "bb"), ("cc", "dd")), "real", None, "pooled")
TWO = Question((("aa", "ee"),), "fog", (0, 4), "per-condition")
STORED = {ONE: (-0.5, 1.25), TWO: (2.0, 2.0)}


def stored(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "intervals.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert interval_store.read(stored(tmp_path, interval_store.text(STORED))) == STORED
    assert interval_store.read(tmp_path / "none.json") == {}
    assert interval_store.read(stored(tmp_path, interval_store.text({}))) == {}


def test_equal_intervals_give_equal_bytes() -> None:
    assert interval_store.text(STORED) == interval_store.text(dict(reversed(STORED.items())))


@pytest.mark.parametrize(
    "change",
    [
        {"pairs": (("aa", "bb"), ("cc", "xx"))},
        {"domain": "fog"},
        {"classes": (1,)},
        {"mean": "per-condition"},
        {"resamples": 10},
        {"method": "BCa"},
    ],
)
def test_another_question_finds_nothing_and_draws_anew(change: dict[str, object]) -> None:
    other = dataclasses.replace(ONE, **change)  # type: ignore[arg-type]
    assert other not in STORED
    assert other.seed != ONE.seed


def test_what_no_record_has_any_more_is_dropped() -> None:
    assert interval_store.needed(STORED, {"aa", "bb", "cc", "dd"}, {}) == {ONE: (-0.5, 1.25)}
    assert interval_store.needed(STORED, {"aa", "ee"}, {}) == {TWO: (2.0, 2.0)}
    assert interval_store.needed({}, (), {ONE: (0.0, 1.0)}) == {ONE: (0.0, 1.0)}


def entry(**change: object) -> str:
    document = json.loads(interval_store.text({ONE: (0.0, 1.0)}))
    document["intervals"][0] |= change
    return json.dumps(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"schema": 1}',
        '{"schema": 2, "intervals": []}',
        '{"schema": 1, "intervals": {"a": 1}}',
        '{"schema": 1, "intervals": 3}',
        '{"schema": 1, "intervals": [{}]}',
        entry(low=2.0),
        entry(low=None),
        entry(high=float("nan")),
        entry(pairs=[]),
        entry(pairs=[["aa"]]),
        entry(pairs=[["aa", 3]]),
        entry(classes=["road"]),
        entry(resamples=1.5),
        entry(more=1),
    ],
)
def test_a_corrupted_file_is_a_named_error(tmp_path: Path, text: str) -> None:
    path = stored(tmp_path, text)
    with pytest.raises(RecordError, match=r"intervals\.json: not readable intervals"):
        interval_store.read(path)

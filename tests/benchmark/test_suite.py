"""Suites: the grid they span, and a message of its own for every rule a file can break."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark import suite as suites
from benchmark.budget import Checkpoints
from benchmark.cell import Cell
from benchmark.errors import SuiteError, UsageError


def test_cells_are_ordered_by_shift_encoder_method_seed(configs: Any) -> None:
    configs.suite("methods: [good, bad]\nencoders: [small, large]\nseeds: [1, 0]")
    cells = suites.load("tiny").cells()
    assert [(cell.encoder, cell.method, cell.seed) for cell in cells] == [
        ("small", "good", 1), ("small", "good", 0), ("small", "bad", 1), ("small", "bad", 0),
        ("large", "good", 1), ("large", "good", 0), ("large", "bad", 1), ("large", "bad", 0),
    ]  # fmt: skip


def test_excluded_cells_stand_apart_with_their_reason(configs: Any) -> None:
    configs.suite(
        "methods: [good, bad]\nencoders: [small, large]\n"
        "exclude:\n- {method: bad, encoder: large, reason: does not fit}\n"
    )
    suite = suites.load("tiny")
    assert Cell("bad", "large", "there", 0) not in suite.cells()
    assert len(suite.cells()) == 3
    assert suite.excluded_cells() == [(Cell("bad", "large", "there", 0), "does not fit")]


def test_an_exclusion_may_list_values(configs: Any) -> None:
    configs.suite(
        "methods: [good, bad, slow]\nencoders: [small, large]\n"
        "exclude:\n- {method: [bad, slow], encoder: [large], reason: not these}\n"
    )
    left_out = {(cell.method, cell.encoder) for cell, _ in suites.load("tiny").excluded_cells()}
    assert left_out == {("bad", "large"), ("slow", "large")}


def test_a_suite_may_be_a_file_anywhere(configs: Any, tmp_path: Path) -> None:
    path = configs.suite("budget: {minutes_per_cell: 2}", name="own")
    moved = path.rename(tmp_path / "own.yaml")
    suite = suites.load("own.yaml")
    assert (suite.name, suite.path, suite.reference) == ("own", moved, str(moved))
    assert suite.budget.minutes_per_cell == 2.0


def test_a_suite_of_the_configs_folder_is_called_by_its_name(configs: Any) -> None:
    configs.suite("")
    assert suites.load("tiny").reference == "tiny"


def test_a_method_may_follow_another_protocol(configs: Any) -> None:
    configs.fragment("protocol", "long")
    configs.suite("methods: [good, bad]\nprotocols: {bad: long}")
    suite = suites.load("tiny")
    assert (suite.protocol_of("good"), suite.protocol_of("bad")) == ("short", "long")
    cut = suite.with_overrides(only={"method": ["good"]})
    assert cut.protocol_of("good") == "short"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("method: [good]", r"suites/tiny.yaml: unknown key 'method'; closest: 'methods'; valid: "),
        ("1: x", r"suites/tiny.yaml: unknown key 1"),
        ("methods: good", r"key 'methods': expected a non-empty list of method names, found the"),
        ("methods: []", r"key 'methods': expected a non-empty list"),
        ("methods: [good, 3]", r"key 'methods': expected a list of method names, found the int 3"),
        ("methods: [good, good]", r"key 'methods': 'good' is given twice"),
        ("methods: [god]", r"key 'methods': unknown method 'god'; closest: 'good'; valid: bad, "),
        ("encoders: [smal]", r"key 'encoders': unknown encoder 'smal'; closest: 'small'"),
        ("shifts: [their]", r"key 'shifts': unknown shift 'their'; closest: 'there'"),
        ("protocol: shorts", r"key 'protocol': unknown protocol 'shorts'; closest: 'short'"),
        ("protocol: [short]", r"key 'protocol': expected a non-empty text, found the list"),
        ("protocols: short", r"key 'protocols': expected a mapping, found the text 'short'"),
        ("protocols: {god: short}", r"protocols: unknown method of this suite 'god'; closest: 'go"),
        ("protocols: {bad: short}", r"protocols: unknown method of this suite 'bad'; .*: good"),
        ("protocols: {good: shrt}", r"protocols: key 'good': unknown protocol 'shrt'; closest: 's"),
        ("protocols: {good: [a]}", r"protocols: key 'good': expected a non-empty text, found the"),
        ("provenance: {seeds: ''}", r"provenance: key 'seeds': expected a non-empty text"),
        ("provenance: {1: x}", r"key 'provenance': expected a mapping from texts to texts"),
        ("title: ''", r"key 'title': expected a non-empty text, found the text ''"),
        ("title:", r"key 'title': expected a non-empty text, found nothing"),
        ("seeds: [-1]", r"key 'seeds': expected integers from 0 to 4294967295, found the int -1"),
        ("seeds: [true]", r"key 'seeds': expected integers .* found the bool True"),
        ("seeds: [1.5]", r"key 'seeds': expected integers .* found the float 1.5"),
        ("seeds: 3", r"key 'seeds': expected a non-empty list of seeds, found the int 3"),
        ("seeds: [0, 1, 0]", r"key 'seeds': 0 is given twice"),
        ("exclude: x", r"key 'exclude': expected a list of mappings"),
        ("exclude: [x]", r"key 'exclude': expected a list of mappings, found the text 'x'"),
        ("exclude: [{method: good}]", r"exclude\[0\]: key 'reason' is missing"),
        ("exclude: [{reason: no}]", r"exclude\[0\]: expected at least one of method, encoder"),
        ("exclude: [{seed: 0, reason: ' '}]", r"exclude\[0\]: key 'reason': expected a non-empty"),
        ("exclude: [{sed: 0, reason: no}]", r"exclude\[0\]: unknown key 'sed'; closest: 'seed'"),
        ("exclude: [{method: bad, reason: no}]", r"unknown method of this suite 'bad'; closest"),
        ("exclude: [{seed: 7, reason: no}]", r"key 'seed': unknown seed of this suite 7; .*: 0"),
        ("exclude: [{seed: false, reason: no}]", r"key 'seed': unknown seed of this suite False"),
        ("budget: 3", r"key 'budget': expected a mapping, found the int 3"),
        ("budget: {hours: 3}", r"budget: unknown key 'hours'; .*valid: minutes_per_cell"),
        ("budget: {retries: {oom: -1}}", r"retries: key 'oom': expected a whole number from 0 to"),
        ("budget: {retries: {oom: true}}", r"whole number from 0 to 100, found the bool True"),
        ("budget: {retries: {oom: 1.0}}", r"whole number from 0 to 100, found the float 1.0"),
        ("budget: {retries: {omo: 1}}", r"retries: unknown key 'omo'; closest: 'oom'; valid: disk"),
        ("budget: {retries: 3}", r"key 'retries': expected a mapping, found the int 3"),
        ("checkpoints: {every: 0}", r"key 'every': expected a whole number from 1 to 10000000"),
        ("checkpoints: {keep: all}", r"key 'keep': expected one of weights, nothing, everything"),
        ("checkpoints: {best: 1}", r"checkpoints: unknown key 'best'; .*valid: every, keep"),
        ("exclude: [{method: [], reason: r}]", r"exclude\[0\]: key 'method': expected a non-empty"),
        (
            "exclude: [{method: [best], reason: r}]",
            r"exclude\[0\]: key 'method': unknown method of",
        ),
        ("exclude: [{seed: [0, 0], reason: r}]", r"exclude\[0\]: key 'seed': 0 is given twice"),
        ("priority: good", r"key 'priority': expected a list of mappings, found the text 'good'"),
        ("priority: [{}]", r"priority\[0\]: expected at least one of method, encoder, shift, seed"),
        ("priority: [{method: best}]", r"priority\[0\]: key 'method': unknown method of this"),
        ("methods: [../../../etc/passwd]", r"key 'methods': unknown method '../../../etc/passwd'"),
        ("methods: [/etc/passwd]", r"key 'methods': unknown method '/etc/passwd'"),
        ("protocol: ../suites/tiny", r"key 'protocol': unknown protocol '../suites/tiny'"),
        ("budget: {minutes_per_cell: 0}", r"key 'minutes_per_cell': expected a number above 0"),
        ("budget: {minutes_per_cell: .nan}", r"key 'minutes_per_cell': expected a number above 0"),
        ("budget: {minutes_per_cell: .inf}", r"expected a number above 0, found the float inf"),
        ("title: !!python/object/apply:os.getcwd []", r"tiny.yaml:6: could not determine a const"),
        ("title: [unclosed", r"suites/tiny.yaml:\d+: not valid YAML"),
        ("title: a\ntitle: b", r"suites/tiny.yaml:7: key 'title' is given twice"),
        ("budget: {a: 1, a: 2}", r"suites/tiny.yaml:7: key 'a' is given twice"),
        ("title: " + "[" * 1500, r"suites/tiny.yaml: not valid YAML \(maximum recursion"),
        ("title: 2001-99-99", r"suites/tiny.yaml: not valid YAML"),
        ("title: \x07", r"suites/tiny.yaml: not valid YAML"),
        ("? [a]\n: 1", r"suites/tiny.yaml:\d+: found unhashable key"),
        (f"seeds: [{'9' * 5000}]", r"suites/tiny.yaml: not valid YAML"),
        (f"seeds: [0x{'f' * 5000}]", r"key 'seeds': expected integers from 0"),
    ],
)
def test_each_broken_rule_has_its_message(configs: Any, text: str, message: str) -> None:
    configs.suite(text)
    with pytest.raises(SuiteError, match=message):
        suites.load("tiny")


def test_a_missing_key(configs: Any) -> None:
    path = configs.suite("")
    path.write_text(path.read_text().replace("protocol: short\n", ""))
    with pytest.raises(SuiteError, match=r"suites/tiny.yaml: key 'protocol' is missing"):
        suites.load("tiny")


@pytest.mark.parametrize("content", [b"", b"- a\n", b"text", b"\xff\xfe\x00"])
def test_a_file_that_is_no_mapping(configs: Any, content: bytes) -> None:
    configs.suite("").write_bytes(content)
    with pytest.raises(SuiteError, match=r"suites/tiny.yaml: (expected a mapping|cannot be read)"):
        suites.load("tiny")


def test_a_huge_file_is_not_parsed(configs: Any) -> None:
    configs.suite("").write_bytes(b"#" * 200_001)
    with pytest.raises(SuiteError, match="larger than 200,000 bytes"):
        suites.load("tiny")


def test_a_grid_beyond_the_limit_is_refused_before_it_is_built(configs: Any) -> None:
    axes = "methods: [good, bad, better, slow, crash]\nencoders: [small, large]\n"
    configs.suite(f"{axes}seeds: {list(range(10_001))}")
    with pytest.raises(SuiteError, match="the grid has 100,010 cells, at most 100,000"):
        suites.load("tiny")


def test_a_broken_fragment_is_reported_where_the_suite_names_it(configs: Any) -> None:
    (configs.root / "methods" / "good.py").write_text("1 / 0")
    configs.suite("")
    message = r"tiny.yaml: key 'methods': .*methods/good.py:1: ZeroDivisionError"
    with pytest.raises(SuiteError, match=message):
        suites.load("tiny")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tinny", "unknown suite 'tinny'; closest: 'tiny'; valid: tiny"),
        ("nothing/like/it", "there is no such suite file"),
        ("absent.yaml", "absent.yaml: there is no such suite file"),
    ],
)
def test_an_unknown_suite(configs: Any, name: str, message: str) -> None:
    configs.suite("")
    with pytest.raises(UsageError, match=message):
        suites.load(name)


def test_overrides_replace_seeds_then_restrict(configs: Any) -> None:
    configs.suite("methods: [good, bad, slow]\nencoders: [small, large]")
    only = {"method": ["slow", "good"], "encoder": ["large"], "seed": ["2"]}
    suite = suites.load("tiny").with_overrides(3, only)
    assert suite.cells() == [Cell("good", "large", "there", 2), Cell("slow", "large", "there", 2)]


@pytest.mark.parametrize(
    ("seeds", "only", "message"),
    [
        (0, None, "--seeds: expected a number of seeds of at least 1, got 0"),
        (100_001, None, "--seeds: the grid has 100,001 cells"),
        (None, {"methods": ["good"]}, "--only: unknown key 'methods'; closest: 'method'"),
        (None, {"method": ["bad"]}, "--only: suite tiny: unknown method 'bad'.*valid: good"),
        (None, {"seed": ["1"]}, "--only: suite tiny: unknown seed '1'.*valid: 0"),
    ],
)
def test_wrong_overrides(configs: Any, seeds: int | None, only: Any, message: str) -> None:
    configs.suite("")
    with pytest.raises(UsageError, match=message):
        suites.load("tiny").with_overrides(seeds, only)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_KEYS = st.sampled_from(
    ["title", "protocol", "methods", "encoders", "shifts", "seeds", "exclude", "budget", "reason"]
)
_VALUES = st.recursive(
    _SCALARS | st.sampled_from(["good", "small", "there", "short", "here"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)
_FAST = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@_FAST
@given(st.dictionaries(_KEYS, _VALUES))
def test_any_mapping_is_read_or_refused_by_name(configs: Any, document: Any) -> None:
    base = {"title": "T", "protocol": "short", "methods": ["good"], "encoders": ["small"]}
    rest = {"shifts": ["there"], "seeds": [0]}
    text = yaml.safe_dump({**base, **rest, **document})
    configs.suite("").write_text(text, encoding="utf-8")
    with contextlib.suppress(SuiteError):
        assert suites.load("tiny").cells() is not None


@_FAST
@given(st.binary(max_size=60) | st.text(alphabet="a:-[]{}&*!|>#'\"? \n\t%@<,", max_size=40))
def test_any_bytes_are_read_or_refused_by_name(configs: Any, content: Any) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    configs.suite("").write_bytes(data)
    with pytest.raises(SuiteError, match=r"tiny\.yaml"):
        suites.load("tiny")


def test_retries_and_priorities_are_read(configs: Any) -> None:
    configs.suite(
        "methods: [good, better]\nseeds: [0, 1]\n"
        "budget: {retries: {error: 0, oom: 1, timeout: 2}}\n"
        "priority: [{method: better, seed: 1}, {seed: 1}]"
    )
    suite = suites.load("tiny")
    assert suite.budget.minutes_per_cell is None
    assert suite.budget.retries == {"error": 0, "oom": 1, "timeout": 2}
    places = {(cell.method, cell.seed): suite.priority_of(cell) for cell in suite.cells()}
    assert places == {("good", 0): 2, ("good", 1): 1, ("better", 0): 2, ("better", 1): 0}


def test_checkpoints_are_read(configs: Any) -> None:
    configs.suite("")
    assert suites.load("tiny").checkpoints == Checkpoints(None, "weights")
    configs.suite("checkpoints: {every: 50, keep: nothing}")
    assert suites.load("tiny").checkpoints == Checkpoints(50, "nothing")


def test_a_million_cells_by_mistake_are_refused(configs: Any) -> None:
    configs.suite("")
    with pytest.raises(SuiteError, match="--seeds: the grid has 1,000,000 cells, at most 100,000"):
        suites.load("tiny").with_overrides(1_000_000)

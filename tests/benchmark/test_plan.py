"""Plans: the state of each cell is what its files say, never a guess."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmark import acceptance, compose, identity, lease, plan
from benchmark.errors import FragmentError, UdabenchError, UsageError
from benchmark.paths import CellPaths
from benchmark.plan import Plan
from benchmark.records import DomainMetrics, Failure, Identity, Record, read_record, write_record

OUT = Path("results")
MODULES = {"package/a.py": "1", "package/b.py": "1"}
DOMAINS = {"here": "1", "far": "1"}


@pytest.fixture(autouse=True)
def made_up_identity(monkeypatch: pytest.MonkeyPatch, configs: Any) -> None:
    """Identities and configurations without the real generator and fragments behind them."""

    def resolve(*parts: Any) -> dict[str, Any]:
        return {"method": parts[1].name, "seed": parts[5], "iterations": parts[6]}

    def identify(config: Mapping[str, Any], modules: Any, files: Any) -> Identity:
        text = json.dumps({**config, "seed": None}, sort_keys=True)
        whole = Identity("", 1, f"config {text}", "data", "metric", "source", MODULES, DOMAINS)
        return with_seed(whole, config["seed"])

    def with_seed(known: Identity, seed: int) -> Identity:
        return dataclasses.replace(known, id=f"id {known.config} {seed}")

    monkeypatch.setattr(compose, "resolve", resolve)
    monkeypatch.setattr(compose, "with_seed", lambda config, seed: {**config, "seed": seed})
    monkeypatch.setattr(identity, "identify", identify)
    monkeypatch.setattr(identity, "with_seed", with_seed)
    configs.suite("methods: [good, bad]")


def make(iterations: int | None = None) -> Plan:
    return plan.load("tiny", OUT, iterations=iterations)


def write(number: int = 0, **changes: Any) -> Path:
    """Write a done record of one cell, changed as asked."""
    planned = make()
    entry = planned.entries[number]
    assert entry.identity is not None
    record = Record("tiny", entry.cell, entry.identity, "done")
    return write_record(planned.folder, dataclasses.replace(record, **changes))


def test_without_results_everything_is_missing_and_due() -> None:
    planned = make()
    assert planned.counts() == {"missing": 2}
    assert [entry.reason for entry in planned.entries] == ["", ""]
    assert planned.due() == list(planned.entries)
    assert not OUT.exists()


def test_a_done_cell_is_never_due() -> None:
    write()
    planned = make()
    assert [entry.state for entry in planned.entries] == ["done", "missing"]
    assert not planned.entries[0].is_due(("failed", "stale"))
    assert planned.entries[0].record is not None


def test_a_failed_cell_is_due_on_demand() -> None:
    write(state="failed", failure=Failure("oom", "too large", "log.txt"))
    entry = make().entries[0]
    assert (entry.state, entry.reason) == ("failed", "oom: too large")
    assert not entry.is_due()
    assert not entry.is_due(("stale",))
    assert entry.is_due(("failed",))


def test_an_interrupted_cell_is_due_by_itself() -> None:
    write(state="failed", failure=Failure("interrupted", "stopped", "log.txt"))
    entry = make().entries[0]
    assert entry.state == "failed"
    assert entry.is_due()


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ("config", "training or evaluation configuration changed"),
        ("source", "training procedure changed"),
        ("data", "data changed"),
        ("metric", "metric changed"),
        ("version", "identity version changed"),
        ("", "identity changed"),
    ],
)
def test_a_record_of_another_identity_is_stale_and_says_why(component: str, reason: str) -> None:
    current = make().entries[0].identity
    assert current is not None
    changed: dict[str, Any] = (
        {component: 99 if component == "version" else "else"} if component else {}
    )
    write(identity=dataclasses.replace(current, id="other", **changed))
    entry = make().entries[0]
    assert (entry.state, entry.reason) == ("stale", reason)
    assert not entry.is_due(("failed",))
    assert entry.is_due(("stale",))


def test_another_number_of_iterations_makes_a_record_stale() -> None:
    write()
    assert make(iterations=5).entries[0].state == "stale"


def test_a_stale_failure_is_due_under_either_name() -> None:
    write(state="failed", failure=Failure("error", "no", "log.txt"))
    entry = make(iterations=5).entries[0]
    assert entry.state == "stale"
    assert entry.is_due(("failed",))
    assert entry.is_due(("stale",))
    assert not entry.is_due()


def test_a_truncated_record_is_failed_with_its_reason_at_every_length() -> None:
    path = write()
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:length])
        entry = make().entries[0]
        assert entry.state == "failed"
        assert "not a readable record" in entry.reason
        assert str(path) in entry.reason
        assert entry.is_due(("failed",))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema": 99}, "record schema 99, this version reads 1"),
        ({"state": "finished"}, "incomplete record"),
        ({"state": "failed"}, "incomplete record"),
        ({"metrics": []}, "incomplete record"),
        ({"metrics": {"far": {"miou": "high"}}}, "incomplete record"),
        ({"attempts": [{"ended": "well"}]}, "incomplete record"),
        ({"attempts": ["oom"]}, "incomplete record"),
        ({"attempts": [{"failure": "oom", "changed": 2}]}, "incomplete record"),
        (
            {"state": "failed", "failure": {"kind": ["oom"], "message": "", "log": ""}},
            "incomplete record",
        ),
        ({"identity": {}}, "incomplete record"),
        (
            {"cell": {"method": "slow", "encoder": "small", "shift": "there", "seed": 0}},
            "holds the record of slow__small__there__seed0",
        ),
    ],
)
def test_a_wrong_record_is_failed_with_its_reason(change: Any, reason: str) -> None:
    path = write()
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    entry = make().entries[0]
    assert entry.state == "failed"
    assert reason in entry.reason


def test_a_cell_with_a_live_lease_is_running_and_not_due() -> None:
    planned = make()
    with lease.hold(CellPaths(planned.folder, planned.entries[0].cell).lease):
        entry = make().entries[0]
        assert entry.state == "running"
        assert entry.reason.startswith("process ")
        assert not entry.is_due(("failed", "stale"))
        held = plan.judge(entry, planned.folder, holding=True)
    assert held.state == "missing"


def test_a_done_cell_is_done_while_its_worker_still_ends() -> None:
    write()
    planned = make()
    with lease.hold(CellPaths(planned.folder, planned.entries[0].cell).lease):
        assert make().entries[0].state == "done"


def test_a_failed_cell_that_is_run_again_is_running() -> None:
    write(state="failed", failure=Failure("interrupted", "stopped", "log.txt"))
    planned = make()
    with lease.hold(CellPaths(planned.folder, planned.entries[0].cell).lease):
        entry = make().entries[0]
    assert entry.state == "running"
    assert not entry.is_due(("failed", "stale"))


def test_a_cell_that_was_begun_says_so() -> None:
    planned = make()
    cell_paths = CellPaths(planned.folder, planned.entries[0].cell)
    cell_paths.folder.mkdir(parents=True)
    cell_paths.progress.write_text("{}")
    entry = make().entries[0]
    assert (entry.state, entry.reason) == ("missing", "interrupted")


def stale_record(**changes: Any) -> None:
    """Write the record of the first cell as it was before ``package/a.py`` changed."""
    current = make().entries[0].identity
    assert current is not None
    modules = {**MODULES, "package/a.py": "0"}
    old = dataclasses.replace(current, id="old", source="old", modules=modules)
    write(identity=old, **changes)


@pytest.mark.parametrize("name", ["good__small__there__seed0", "all"])
def test_an_accepted_stale_record_is_done_and_says_so(name: str) -> None:
    stale_record()
    assert make().entries[0].state == "stale"
    assert acceptance.accept(make(), [name]) == 1
    entry = make().entries[0]
    assert (entry.state, entry.accepted) == ("done", True)
    assert entry.reason == "accepted while stale: package/a.py changed"
    assert not entry.is_due(("failed", "stale"))
    assert json.loads(make().to_json())["cells"][0]["accepted"] is True
    assert acceptance.accept(make(), [name]) == 0


def test_an_acceptance_ends_with_the_next_change(monkeypatch: pytest.MonkeyPatch) -> None:
    stale_record()
    acceptance.accept(make(), ["all"])
    assert make(iterations=5).entries[0].state == "stale"
    assert make().entries[0].accepted
    write(identity=dataclasses.replace(make().entries[0].identity, id="third", source="third"))
    assert make().entries[0].state == "stale"


def test_only_a_stale_result_can_be_accepted() -> None:
    write()
    with pytest.raises(UsageError, match=r"good__small__there__seed0: only a stale result .* done"):
        acceptance.accept(make(), ["good__small__there__seed0"])
    with pytest.raises(UsageError, match="unknown cell 'none'"):
        acceptance.accept(make(), ["none"])
    stale_record(state="failed", failure=Failure("oom", "too large", "log.txt"))
    with pytest.raises(UsageError, match="stale and failed"):
        acceptance.accept(make(), ["good__small__there__seed0"])
    assert acceptance.accept(make(), ["all"]) == 0


def test_a_broken_list_of_acceptances_is_named() -> None:
    write()
    path = OUT / "tiny" / acceptance.FILE
    for text in ("{", "[]", '{"good": {"recorded": 1}}'):
        path.write_text(text)
        with pytest.raises(UdabenchError, match=r"accepted.json: not a list of accepted records"):
            make()


def test_a_record_can_be_read_in_brief() -> None:
    curves = {"curves": {"loss": [1.5, 2.5], "text": 'a\n },\n "failure": {'}, "failure": {}}
    metrics = {"far": DomainMetrics("target", 50.0, {"road": 50.0, "sky": None}, 1, 90.0, 3)}
    path = write(diagnostics=curves, metrics=metrics, notes=("a", 'b "diagnostics": {'))
    whole, part = read_record(path), read_record(path, brief=True)
    assert (whole.diagnostics, whole.metrics) == (curves, metrics)
    assert part == dataclasses.replace(whole, diagnostics={}, metrics={})
    path = write()
    assert read_record(path, brief=True) == read_record(path)
    path.write_text(json.dumps(json.loads(whole.to_json())))  # as another program would write it
    assert read_record(path, brief=True) == whole


def test_excluded_cells_come_last_with_their_reason(configs: Any) -> None:
    configs.suite("methods: [good, bad]\nexclude: [{method: good, reason: too good}]")
    planned = make()
    last = planned.entries[-1]
    assert (last.cell.method, last.state, last.reason) == ("good", "excluded", "too good")
    assert last.identity is None
    assert planned.due(("failed", "stale")) == [planned.entries[0]]


def test_json_has_one_object_a_cell() -> None:
    write()
    document = json.loads(make().to_json())
    assert document["suite"] == "tiny"
    assert document["counts"] == {"done": 1, "missing": 1}
    write(1, state="failed", failure=Failure("oom", "too large", "log.txt"))
    assert json.loads(make().to_json())["cells"][1]["failure"] == "oom"
    first = document["cells"][0]
    assert first.pop("id").startswith("id ")
    assert first == {
        "stem": "good__small__there__seed0", "method": "good", "encoder": "small",
        "shift": "there", "seed": 0, "state": "done", "reason": "", "failure": None,
        "accepted": False,
    }  # fmt: skip


def test_a_cell_is_found_by_stem_or_identity() -> None:
    planned = make()
    first = planned.entries[0]
    assert first.identity is not None
    assert plan.one(planned.suite, OUT, first.cell.stem) == first
    assert plan.one(planned.suite, OUT, first.identity.id) == first
    with pytest.raises(UsageError, match="unknown cell 'good__small'; closest: 'good__small__the"):
        plan.one(planned.suite, OUT, "good__small")
    with pytest.raises(UsageError, match="several cells"):
        planned.entry(first.identity.id[:8])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target = 'far'\nunseen = []", "source must be the name of a domain"),
        ("source = 'here'\ntarget = 'far'\nunseen = 'far'", "unseen must be a list of domain"),
        ("source = 'here'\ntarget = 'fat'\nunseen = []", "unknown domain 'fat'; closest: 'far'"),
        ("source = 'here'\ntarget = 'far'\nunseen = ['here']", "unseen names here, which is tr"),
        ("source = ['here', 'fat']\ntarget = 'far'\nunseen = []", "unknown domain 'fat'; closest"),
        ("source = []\ntarget = 'far'\nunseen = []", r"or a list of names .*; found \[\]"),
        ("source = ['here', 3]\ntarget = 'far'\nunseen = []", r"found \['here', 3\]"),
        ("source = ['here', 'here']\ntarget = 'far'\nunseen = []", "source names here twice"),
        ("source = ['here', 'far']\ntarget = 'far'\nunseen = []", "far is the target and a source"),
        ("source = target = 'far'\nunseen = []", "far is the target and a source"),
    ],
)
def test_a_shift_must_name_domains_that_exist(configs: Any, text: str, message: str) -> None:
    configs.fragment("shift", "there", f"{text}\n")
    with pytest.raises(FragmentError, match=rf"shifts/there.py: .*{message}"):
        make()

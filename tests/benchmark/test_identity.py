"""Identities: equal for equal questions, and a stale record says which file or domain changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmark import compose, identity, plan, registry, source_hash, stale
from benchmark import suite as suites
from benchmark.identity import identify, trusting, with_seed
from benchmark.records import Identity, Record, write_record

OUT = "results"


def resolve(method: str = "dacs", seed: int = 0) -> dict[str, Any]:
    shift = registry.find("shift", "minidrive")
    return compose.resolve(
        registry.find("protocol", "minidrive"),
        registry.find("method", method),
        registry.find("encoder", "resnet-mini"),
        shift,
        plan.domain_fragments(shift),
        seed,
    )


@pytest.mark.parametrize("method", ["dacs", "oracle", "mic"])
def test_another_seed_changes_the_seed_and_nothing_else(method: str) -> None:
    config = resolve(method, 0)
    assert compose.with_seed(config, 7) == resolve(method, 7)
    assert config == resolve(method, 0)


def test_seeds_share_all_digests_but_the_id() -> None:
    known = identify(resolve(seed=0))
    other = identify(resolve(seed=7))
    assert with_seed(known, 7) == other
    assert known.id != other.id
    assert dataclasses.replace(known, id=other.id) == other


def test_the_procedure_and_the_version_are_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    config = resolve()
    reference = identify(config)
    assert reference.version == 2
    assert reference.modules["mmseg_ext/methods/dacs.py"]
    for name in ("PROCEDURE", "IDENTITY_VERSION"):
        with monkeypatch.context() as patch:
            patch.setattr(identity, name, 99)
            assert identify(config).id != reference.id
    assert identify(config, {**reference.modules, "mmseg_ext/x.py": "1"}).id != reference.id


def test_recorded_data_are_trusted_only_where_there_are_none() -> None:
    config = {**resolve(), "domains": {"a": {"reader": "files"}, "b": {"reader": "files"}}}
    recorded = identify(config, {}, {"a": "1", "b": "1"})
    assert trusting(identify(config, {}, {"a": "1"}), recorded, 0) == recorded
    changed = trusting(identify(config, {}, {"a": "2"}), recorded, 0)
    assert (changed.domains, changed.id == recorded.id) == ({"a": "2", "b": "1"}, False)
    unknown = trusting(identify(config, {}, {}), identify(config, {}, {}), 0)
    assert unknown.domains == {"a": None, "b": None}


BASE = Identity(
    "0", 2, "c", "d", "m", "s", {f"p/{n}.py": "1" for n in "abcde"}, {"gta5": "1", "fog": "1"}
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"modules": {"p/b.py": "2"}}, ["p/b.py changed"]),
        ({"modules": {"p/b.py": "2", "p/a.py": "2"}}, ["p/a.py, p/b.py changed"]),
        (
            {"modules": {f"p/{n}.py": "2" for n in "abcde"}},
            ["p/a.py, p/b.py, p/c.py and 2 more files changed"],
        ),
        ({"modules": {"p/new.py": "1"}}, ["p/new.py is newly used or no longer used"]),
        ({"source": "t"}, ["training procedure changed"]),
        ({"domains": {"fog": "2"}}, ["data of fog changed"]),
        ({"metric": "n"}, ["metric changed"]),
        (
            {"config": "e", "modules": {"p/new.py": "1"}},
            ["training or evaluation configuration changed"],
        ),
        (
            {"config": "e", "modules": {"p/a.py": "2"}, "domains": {"fog": "2"}},
            [
                "training or evaluation configuration changed",
                "p/a.py changed",
                "data of fog changed",
            ],
        ),
        ({"version": 3, "config": "e", "metric": "n"}, ["identity version changed"]),
    ],
)
def test_reasons_name_what_changed(changes: Mapping[str, Any], expected: list[str]) -> None:
    given: dict[str, Any] = {"id": "1", **changes}
    for name, digest in (("modules", "source"), ("domains", "data")):
        if name in given:
            given[name] = {**getattr(BASE, name), **given[name]}
            given[digest] = "other"
    assert stale.reasons(BASE, dataclasses.replace(BASE, **given)) == expected
    assert stale.reasons(BASE, BASE) == []


def test_a_changed_line_shows_in_the_plan_and_is_gone_when_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a record over a changed source file to the state and its reason."""
    suite = suites.load("demo").with_overrides(only={"encoder": ["resnet-mini"]})
    for entry in (planned := plan.make(suite, tmp_path)).entries:
        assert entry.identity
        write_record(planned.folder, Record("demo", entry.cell, entry.identity, "done"))
    assert plan.make(suite, tmp_path).counts() == {"done": 7}

    scan = source_hash.scan

    def changed(*arguments: Any, **options: Any) -> source_hash.Sources:
        sources = scan(*arguments, **options)
        name = "mmseg_ext.parts.class_mix"
        module = sources.modules[name]
        facts = dataclasses.replace(module.facts, digest="another")
        modules = {**sources.modules, name: dataclasses.replace(module, facts=facts)}
        return source_hash.Sources(modules)

    with monkeypatch.context() as patch:
        patch.setattr(source_hash, "scan", changed)
        entries = plan.make(suite, tmp_path).entries
    found = {entry.cell.method: entry.reason for entry in entries if entry.state == "stale"}
    reason = "mmseg_ext/parts/class_mix.py changed"
    assert found == dict.fromkeys(("dacs", "daformer", "mic"), reason)
    assert plan.make(suite, tmp_path).counts() == {"done": 7}


def test_a_record_of_the_first_version_is_read_and_stale(tmp_path: Path) -> None:
    import json

    suite = suites.load("demo").with_overrides(only={"method": ["dacs"]})
    planned = plan.make(suite, tmp_path)
    entry = planned.entries[0]
    assert entry.identity
    path = write_record(planned.folder, Record("demo", entry.cell, entry.identity, "done"))
    document = json.loads(path.read_text())
    kept = ("id", "config", "data", "metric")
    document["identity"] = {key: document["identity"][key] for key in kept} | {"version": 1}
    document["identity"]["id"] = "0123456789abcdef"
    path.write_text(json.dumps(document))
    found = plan.make(suite, tmp_path).entries[0]
    assert (found.state, found.reason) == ("stale", "identity version changed")

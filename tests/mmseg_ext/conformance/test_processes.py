"""What needs processes of its own: equal bits in several runs, and checks that go wrong."""

from __future__ import annotations

import time

import pytest

from mmseg_ext.conformance import kit, processes, reproduction
from mmseg_ext.conformance.kit import Check
from mmseg_ext.conformance.verdict import Failed


def test_a_method_whose_runs_never_agree(job):
    with pytest.raises(Failed, match="two runs of 4 steps from one seed differ in student"):
        reproduction.same_seed(job(model={"type": "NeverSettles"}))


def test_a_method_that_only_another_process_interrupts(job):
    made = job(model={"type": "RemembersInItsClass"})
    assert reproduction.same_seed(made) == "4 steps twice, 364 values equal"
    with pytest.raises(Failed, match=r"resumed after 2 of 4 steps differs in student\."):
        reproduction.resume(made)


def test_a_method_that_averages_nothing(job):
    with pytest.raises(Failed, match=r"differ between them: student\..* and \d+ more"):
        reproduction.two_processes(job(model={"type": "StepsAlone"}))


def test_the_process_that_fails_tells_why_the_other_hangs(job):
    begun = time.monotonic()
    with pytest.raises(Failed, match="RuntimeError: the reason"):
        reproduction.two_processes(job(model={"type": "HangsInOneProcess"}))
    assert time.monotonic() - begun < 40


def test_verdicts_of_processes_that_give_none(job):
    found = kit.verdict(Check("unknown", "none:none"), job())
    assert found.state == "failed"
    for name, reason in (("killed", "was killed"), ("hangs", "did not end in time")):
        with pytest.raises(Failed, match=reason):
            processes.call(f"broken_plugin:{name}", seconds=3.0)


def test_without_a_method_that_builds_little_is_checked(job):
    made = job(model={"type": "Supervise"})
    found = list(kit.verdicts(made))
    assert [(each.check, each.state) for each in found] == [("card", "ok"), ("builds", "failed")]
    assert "Supervise is not in the mmseg_ext::model registry" in found[-1].detail

"""Work in other processes: all of it, little of it at once, and a death that is told."""

from __future__ import annotations

import itertools
import os

import pytest

from mmseg_ext.datasets.processes import LostProcessError, in_processes


@pytest.mark.parametrize("processes", [1, 2])
def test_every_task_is_done_once(processes):
    found = list(in_processes(abs, range(-50, 0), processes))
    assert sorted(found) == [(task, -task) for task in range(-50, 0)]


def test_tasks_are_taken_as_they_are_needed():
    taken = []
    tasks = (taken.append(number) or number for number in itertools.count())
    results = in_processes(abs, tasks, 2)
    assert {next(results) for _ in range(10)} <= {(number, number) for number in range(20)}
    results.close()
    assert len(taken) <= 20


def test_a_process_that_died_is_told():
    with pytest.raises(LostProcessError, match=r"worked on: 3.*Try fewer processes"):
        list(in_processes(os._exit, [3], 2))


def test_an_error_of_a_task_is_raised_here():
    with pytest.raises(ValueError, match="invalid literal"):
        list(in_processes(int, ["1", "x"], 2))

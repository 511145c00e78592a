"""A Slurm for the session and commands that use it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_slurm import Cluster, obstacle, start
from slurm_commands import Udabench, fake_udabench


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Slurm of one node with 32 processors, none of them bound to a real one."""
    problem = obstacle()
    if problem:
        pytest.skip(problem)
    # Short: a socket's path has a limit. Removed at the end, with the daemons' state.
    folder = Path(tempfile.mkdtemp(prefix="uda-slurm-"))
    made = Cluster(folder)
    try:
        start(made)
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def udabench(cluster: Cluster, tmp_path: Path) -> Udabench:
    """Commands with made-up cells in the test's folder."""
    return fake_udabench(cluster, tmp_path)

"""Fixtures of the data plane's tests."""

from __future__ import annotations

import pytest
import small_world


@pytest.fixture
def domains(tmp_path):
    """Folder of a tiny two-domain data set."""
    return small_world.write_world(tmp_path / "data")


@pytest.fixture(autouse=True)
def one_thread():
    """Numbers must not depend on how many cores the machine has."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)

"""Small methods and batches for the tests of profiling."""

from __future__ import annotations

import pytest
import small_world
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmseg_ext.profiling.job import Built
from mmseg_ext.profiling.random_images import batches
from mmseg_ext.registry import MODELS


@pytest.fixture
def built():
    """Builds a small method and its optimizers."""
    init_default_scope("mmseg_ext")

    def build(name, seed=0, **changes):
        torch.manual_seed(seed)
        method = MODELS.build(small_world.model(name, **changes))
        method.init_weights()
        config = small_world.optimization(name)["optim_wrapper"]
        return Built(method.train(), build_optim_wrapper(method, config))

    return build


@pytest.fixture
def batch():
    """Two random images of each domain."""
    return lambda target=True, seed=0: next(batches((64, 64), 2, target, seed))

"""One optimizer for each part of a method, for methods that train more than the student."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from torch import nn

from mmseg_ext.errors import OptimizerError
from mmseg_ext.registry import OPTIM_WRAPPER_CONSTRUCTORS

STUDENT = "student"
"""The part that every method trains."""


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PartOptimWrapperConstructor:
    """Builds an ``OptimWrapperDict`` with one wrapper for each named part of the model.

    A configuration maps names of the model's sub-modules to what would be the whole configuration
    of a single optimizer, ``constructor`` and ``paramwise_cfg`` included::

        optim_wrapper = dict(
            constructor="PartOptimWrapperConstructor",
            student=dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=6e-5)),
            discriminator=dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4)),
        )

    Each optimizer sees its part alone, under the parameter names it has in the whole model
    (``student.backbone...``), so parameter-wise rules mean the same with one optimizer or many.

    Raises:
        OptimizerError: the model lacks a part, or a trainable parameter belongs to none or two.
    """

    def __init__(
        self,
        optim_wrapper_cfg: Mapping[str, Any],
        paramwise_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        if paramwise_cfg is not None:
            raise OptimizerError(
                "paramwise_cfg stands beside the parts of the optimizers, expected inside one of "
                f"them: {', '.join(optim_wrapper_cfg)}"
            )
        self._parts = {name: cfg for name, cfg in optim_wrapper_cfg.items() if name != "type"}

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the wrappers, in the order of the configuration."""
        model = getattr(model, "module", model)
        wrappers: dict[str, OptimWrapper] = {}
        for name, config in self._parts.items():
            part = getattr(model, name, None)
            if not isinstance(part, nn.Module):
                raise OptimizerError(
                    f"there is an optimizer for {name!r}, but {type(model).__name__} has no such "
                    f"part; it has {', '.join(child for child, _ in model.named_children())}"
                )
            wrappers[name] = build_optim_wrapper(nn.ModuleDict({name: part}), config)
        _check_owners(model, wrappers)
        return OptimWrapperDict(**wrappers)


def by_part(optim_wrapper: OptimWrapper) -> dict[str, OptimWrapper]:
    """The wrapper of each part; a single one is the student's.

    Raises:
        OptimizerError: there are several, and none for the student.
    """
    if not isinstance(optim_wrapper, OptimWrapperDict):
        return {STUDENT: optim_wrapper}
    wrappers = dict(optim_wrapper.items())
    if STUDENT not in wrappers:
        raise OptimizerError(
            f"there are optimizers for {', '.join(wrappers)}, but none for the {STUDENT}"
        )
    return wrappers


def _check_owners(model: nn.Module, wrappers: Mapping[str, OptimWrapper]) -> None:
    owners: dict[int, list[str]] = {}
    for part, wrapper in wrappers.items():
        for group in wrapper.optimizer.param_groups:
            for parameter in group["params"]:
                owners.setdefault(id(parameter), []).append(part)
    for name, parameter in model.named_parameters():
        found = owners.get(id(parameter), [])
        if parameter.requires_grad and len(found) != 1:
            raise OptimizerError(
                f"parameter {name} is trained by {' and '.join(found) or 'no optimizer'}, "
                f"expected exactly one of {', '.join(wrappers)}"
            )

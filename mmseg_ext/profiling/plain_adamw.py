"""The optimizer of the plain training steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mmseg_ext.errors import MethodError


def plain_adamw(method: Any, student: nn.Module, wrapper: Any) -> tuple[Any, float | None]:
    """AdamW that goes through a copied student's parameters one by one, and the clipping norm.

    Args:
        method: whose student was copied.
        student: the copy.
        wrapper: the optimizer wrapper of the method; groups and rates are taken from it.

    Raises:
        MethodError: the optimizer is another one.
    """
    if not isinstance(wrapper.optimizer, torch.optim.AdamW):
        raise MethodError("the plain steps know AdamW only")
    twins = {
        id(own): twin
        for own, twin in zip(method.student.parameters(), student.parameters(), strict=True)
    }
    groups = [
        {
            "params": [twins[id(each)] for each in group["params"] if each.requires_grad],
            **{key: group[key] for key in ("lr", "betas", "eps", "weight_decay")},
        }
        for group in wrapper.optimizer.param_groups
    ]
    clip = wrapper.clip_grad_kwargs or {}
    return torch.optim.AdamW(groups, foreach=False, fused=False), clip.get("max_norm")

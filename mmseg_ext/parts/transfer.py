"""Copies from the host to the device that the host does not wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on ``device``; the host goes on while it travels.

    A GPU fetches by itself from page-locked memory only, so a tensor bound for one is copied there
    first. Torch keeps that memory until the GPU has read it. A tensor that is on the device already
    is returned as it is.
    """
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def batch_to_device(data: Any, device: torch.device) -> Any:
    """A collated batch whose tensors, also those inside of samples, went through `to_device`.

    Mappings, lists, tuples and MMEngine's data elements are copied, anything else is handed on.
    """
    if isinstance(data, Tensor):
        return to_device(data, device)
    if isinstance(data, BaseDataElement):
        moved = data.new()
        for key, value in data.items():
            moved.set_data({key: batch_to_device(value, device)})
        return moved
    if isinstance(data, Mapping):
        return {key: batch_to_device(value, device) for key, value in data.items()}
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        values = [batch_to_device(value, device) for value in data]
        return tuple(values) if isinstance(data, tuple) else values
    return data

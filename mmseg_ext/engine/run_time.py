"""Run-time choices that are set on a built method: how it is computed, never what.

Nothing here belongs to a cell's identity. `benchmark.worker` calls these once, after the runner has
built and placed the method.
"""

from __future__ import annotations

from mmengine.model import BaseDataPreprocessor
from mmengine.structures import BaseDataElement
from torch import nn


def transfer_without_waiting(method: nn.Module) -> None:
    """Let images and labels go from pinned memory to the device while the host goes on.

    MMEngine's preprocessors have an argument for it that MMSegmentation's do not pass on. The copy
    is queued on the stream that then reads it, so results are the same; from memory that is not
    pinned it is the ordinary copy.
    """
    pin_data_elements()
    for module in method.modules():
        if isinstance(module, BaseDataPreprocessor):
            module._non_blocking = True


def pin_data_elements() -> None:
    """Give MMEngine's data elements the method by which a ``DataLoader`` pins what it hands over.

    Without it, only the images of a batch are pinned; a label's copy would wait for the device.
    """
    if not hasattr(BaseDataElement, "pin_memory"):
        BaseDataElement.pin_memory = _pinned


def _pinned(element: BaseDataElement) -> BaseDataElement:
    """A copy of a data element whose tensors, also in elements within, are in pinned memory."""
    copy = element.new()
    for name, value in element.items():
        if hasattr(value, "pin_memory"):
            copy.set_data({name: value.pin_memory()})
    return copy

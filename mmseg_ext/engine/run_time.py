"""Run-time choices that are set on a built method: how it is computed, never what.

Nothing here belongs to a cell's identity. `benchmark.worker` calls these once, after the runner has
built and placed the method.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import BaseDataElement
from timm.models.eva import Eva

from mmseg_ext.encoders import activation_checkpointing
from mmseg_ext.methods.base import UDAMethod
from mmseg_ext.parts.teacher import MeanTeacher


def transfer_without_waiting(method: UDAMethod) -> None:
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


def checkpoint_activations(method: UDAMethod) -> None:
    """Recompute blocks of the student's encoder in the backward pass, to save memory.

    The teacher and other networks without gradients keep no activations anyway.

    Raises:
        EncoderError: the encoder has no blocks that can be recomputed.
    """
    activation_checkpointing.checkpoint_activations(method.student.backbone)


def compile_networks(method: UDAMethod, backend: str = "inductor") -> bool:
    """Compile encoder and heads of the student and its teachers; False where it is not done.

    In place, so that names in states stay. Not the step itself: a method is a generator of terms.
    Random draws are those of the uncompiled network; sums may be rounded in another order. EVA02
    is left as it is: its positions are made in Python for each size, and equality is not shown.
    """
    teachers = [module.network for module in method.modules() if isinstance(module, MeanTeacher)]
    segmentors = [method.student, *teachers]
    towers = [getattr(each.backbone, "tower", None) for each in segmentors]
    if any(isinstance(tower, Eva) for tower in towers):
        return False
    options = {"fallback_random": True} if backend == "inductor" else None
    for segmentor in segmentors:
        for part in segmentor.children():
            if not isinstance(part, BaseDataPreprocessor):
                part.compile(backend=backend, options=options)
    return True


def uncompiled() -> AbstractContextManager[None]:
    """Run networks as they are written: evaluation sees too many sizes to compile for each."""
    stance: AbstractContextManager[None] = torch.compiler.set_stance("force_eager")
    return stance

"""An optimizer's step after clipping, without a look at the norm of the gradients."""

from __future__ import annotations

from mmengine.optim import OptimWrapper
from torch import Tensor


def step(wrapper: OptimWrapper) -> Tensor | None:
    """Clip and take the wrapper's step; the norm before clipping, ``None`` where nothing clips.

    MMEngine's wrapper writes the norm to its log in each step, and so waits for the device each
    time. It asks the clipping function for it; here that function keeps it and answers with
    nothing.
    """
    if not wrapper.clip_grad_kwargs:
        wrapper.step()
        return None
    clip, norms = wrapper.clip_func, []
    wrapper.clip_func = lambda *gradients, **limits: norms.append(clip(*gradients, **limits))
    try:
        wrapper.step()
    finally:
        wrapper.clip_func = clip
    return norms[0] if norms else None

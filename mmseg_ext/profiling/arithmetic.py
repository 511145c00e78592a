"""How many multiply-adds a step makes, how fast the device could make them, and where it waits."""

from __future__ import annotations

import contextlib
import re
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim import Optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

# Dense matrix rates in TFLOP/s as the maker's data sheets print them, without sparsity, by words of
# the device's name, the longest first: fp32 without TF32, and bf16.
PEAK_RATES = {
    "H100 PCIe": {"fp32": 51.0, "bf16": 756.0},
    "H100 NVL": {"fp32": 60.0, "bf16": 835.0},
    "H100": {"fp32": 67.0, "bf16": 989.0},
    "H200": {"fp32": 67.0, "bf16": 989.0},
    "A100": {"fp32": 19.5, "bf16": 312.0},
    "L40S": {"fp32": 91.6, "bf16": 362.0},
    "RTX 4090": {"fp32": 82.6, "bf16": 165.2},
    "RTX 3090": {"fp32": 35.6, "bf16": 71.0},
    "A10G": {"fp32": 31.2, "bf16": 70.0},
    "A10": {"fp32": 31.2, "bf16": 125.0},
    "L4": {"fp32": 30.3, "bf16": 121.0},
}

# Operations whose result, or the size of it, depends on values: the host must have them to go on.
_WAITS = (
    *("_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "masked_select"),
    *("_unique", "_unique2", "unique_dim", "unique_consecutive", "unique_dim_consecutive"),
    *("bincount", "repeat_interleave.Tensor"),
)
_BY_MASK = ("index", "index_put", "index_put_", "_index_put_impl_")
_COPIES = ("_to_copy", "copy_")


def gmacs(run: Callable[[], Any], device: str) -> float:
    """10^9 multiply-adds of matrix products and convolutions that ``run`` makes, backward ones too.

    Attention is counted as its two matrix products, with its fused kernels on a GPU and without
    them on the CPU, whose kernel torch's counter does not know.
    """
    own = {torch.ops.aten.convolution_backward: _convolution_backward}
    counter = FlopCounterMode(display=False, custom_mapping=own)
    with counter, _countable_attention(device):
        run()
    return float(counter.get_total_flops()) / 2e9


def _convolution_backward(
    gradient: Any, image: Any, weight: Any, _bias: Any, _stride: Any, _padding: Any,
    _dilation: Any, transposed: bool, _output_padding: Any, _groups: Any, wanted: Any,
    **_: Any,
) -> int:  # fmt: skip
    """Operations of a convolution's backward pass: one forward pass for each gradient wanted.

    Torch's own count of the weight's gradient takes no notice of groups, and depthwise
    convolutions would come out hundreds of times too expensive.
    """
    forward = conv_flop_count(image, weight, gradient, transposed)
    return int(forward) * (int(wanted[0]) + int(wanted[1]))


@contextlib.contextmanager
def _countable_attention(device: str) -> Iterator[None]:
    if device == "cuda":
        yield
        return
    with sdpa_kernel(SDPBackend.MATH):
        yield


def student_gmacs(method: Any, size: tuple[int, int], device: str) -> float:
    """GMACs of the student's forward pass, encoder and decoder, on one image."""
    image = torch.zeros(1, 3, *size, device=device)
    student: nn.Module = method.student
    was_training = student.training
    student.eval()
    try:
        with torch.no_grad():
            return gmacs(lambda: method.segment(student, image), device)
    finally:
        student.train(was_training)


class _Waits(TorchDispatchMode):
    """Counts the operations whose result the host must wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[str] = Counter()
        self.paused = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = None if self.paused else _wait(func, args, kwargs or {}, result)
        if name is not None:
            self.counted[name] += 1
        return result


def _wait(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> str | None:
    """What the host waits for in an operation, ``None`` if it goes on at once."""
    name: str = func.overloadpacket.__name__
    if name in _WAITS or f"{name}.{func._overloadname}" in _WAITS:
        return name
    if name in _BY_MASK:
        indices = (each for each in args[1] or () if isinstance(each, Tensor))
        return "index by a mask" if any(i.dtype == torch.bool for i in indices) else None
    if name not in _COPIES:
        return None
    source = args[1] if name == "copy_" else args[0]
    goes_on = args[2] if len(args) > 2 else kwargs.get("non_blocking", False)
    ends = (source.device.type, result.device.type)
    if goes_on or ends[0] == ends[1]:
        return None
    return f"copy from {ends[0]} to {ends[1]}"


def waits(run: Callable[[], Any], optimizers: Iterable[Optimizer] = ()) -> dict[str, int]:
    """Operations in ``run`` that would stop the host until a GPU has done its work, by name.

    What the optimizers do is left out: they keep their counters on the host. So may others, and
    this is the most there can be.
    """
    counter = _Waits()

    def pause(value: bool) -> Callable[..., None]:
        return lambda *_: setattr(counter, "paused", value)

    handles = []
    for each in optimizers:
        handles += [
            each.register_step_pre_hook(pause(True)),
            each.register_step_post_hook(pause(False)),
        ]
    with counter:
        run()
    for handle in handles:
        handle.remove()
    return dict(sorted(counter.counted.items()))


def gpu_waits(run: Callable[[], Any]) -> dict[str, int]:
    """How often ``run`` made the host wait for the GPU, as torch's own debug mode tells."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            run()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    count = sum("synchronizing" in str(each.message) for each in caught)
    return {"synchronizing": count} if count else {}


def counted(
    run: Callable[[], Any], optimizers: Iterable[Optimizer], device: str
) -> tuple[float, dict[str, int]]:
    """`gmacs` and `waits` of one and the same ``run``; on a GPU the waits are those there were."""
    found: dict[str, int] = {}

    def once() -> None:
        found.update(gpu_waits(run) if device == "cuda" else waits(run, optimizers))

    return gmacs(once, device), found


def measured_rate(device: str, dtype: torch.dtype, repeats: int = 5) -> float:
    """TFLOP/s of a large square matrix product in ``dtype``: the median of ``repeats``."""
    side = 8192 if device == "cuda" else 2048
    one, other = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    one @ other
    seconds = []
    for _ in range(repeats):
        synchronize(device)
        begun = time.perf_counter()
        one @ other
        synchronize(device)
        seconds.append(time.perf_counter() - begun)
    return 2.0 * side**3 / statistics.median(seconds) / 1e12


def synchronize(device: str) -> None:
    """Wait until the device has done what it was told."""
    if device == "cuda":
        torch.cuda.synchronize()


def peak_rate(name: str, precision: str) -> float | None:
    """TFLOP/s in the data sheet of a GPU that torch calls ``name``, ``None`` for an unknown one."""
    for part in sorted(PEAK_RATES, key=len, reverse=True):
        if re.search(rf"\b{part}\b", name):
            return PEAK_RATES[part].get(precision)
    return None

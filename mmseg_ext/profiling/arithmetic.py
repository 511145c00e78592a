"""How many multiply-adds a step makes, how fast the device could make them, and where it waits."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

# Dense matrix rates in TFLOP/s as the makers' data sheets print them (without sparsity), by a part
# of the device's name, longest first: fp32 without TF32, and bf16.
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

_WAITS = (
    *("_local_scalar_dense", "nonzero", "_unique2", "unique_dim", "masked_select", "is_nonzero"),
    *("item", "equal"),
)


def gmacs(run: Callable[[], Any], device: str) -> float:
    """10^9 multiply-adds of matrix products and convolutions that ``run`` makes, backward ones too.

    Attention is counted as its two matrix products, with its fused kernels on a GPU and without
    them on the CPU, whose kernel torch's counter does not know.
    """
    counter = FlopCounterMode(display=False)
    with counter, _countable_attention(device):
        run()
    return float(counter.get_total_flops()) / 2e9


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

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = func.overloadpacket.__name__
        by_mask = name in ("index", "index_put_") and any(
            isinstance(each, Tensor) and each.dtype == torch.bool for each in (args[1] or ())
        )
        if name in _WAITS or by_mask:
            self.counted["index by a mask" if by_mask else name] += 1
        return func(*args, **(kwargs or {}))


def waits(run: Callable[[], Any]) -> dict[str, int]:
    """Operations in ``run`` that would stop the host until a GPU has done its work, by name.

    Some of them work on values that stay on the host even then, so this is the most there can be.
    """
    counter = _Waits()
    with counter:
        run()
    return dict(sorted(counter.counted.items()))


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
    """TFLOP/s in the data sheet of a GPU called ``name``, ``None`` for an unknown one."""
    for part in sorted(PEAK_RATES, key=len, reverse=True):
        if part in name:
            return PEAK_RATES[part].get(precision)
    return None

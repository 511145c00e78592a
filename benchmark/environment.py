"""What a record says of the software it was made with, beside the versions of a few packages."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import re
import sysconfig
from collections.abc import Callable
from typing import Any

from benchmark import paths


@functools.cache
def constraints_digest() -> str | None:
    """Digest of the exact versions that the repository pins; None for an installed wheel."""
    root = paths.checkout_root()
    if root is None:
        return None
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r"^constraint-dependencies = \[\n(.*?)^\]", text, re.M | re.S)
    return hashlib.sha256(found.group(1).encode()).hexdigest() if found else None


@functools.cache
def installed_digest() -> str:
    """Digest of the names and versions of every distribution where packages are installed."""
    # Not wherever Python looks: some packages add folders of their own copies when imported.
    places = sorted({sysconfig.get_path(kind) for kind in ("purelib", "platlib")})
    names = {
        f"{re.sub(r'[-_.]+', '-', str(each.metadata['Name'])).lower()}=={each.version}"
        for each in importlib.metadata.distributions(path=places)
    }
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def torch_facts(torch: Any) -> dict[str, Any] | None:
    """Versions and switches of a loaded torch that decide how exactly it repeats itself."""
    if torch is None:
        return None
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    asked: dict[str, Callable[[], Any]] = {
        "cuda": lambda: torch.version.cuda,
        "cudnn": lambda: cudnn.version() if torch.cuda.is_available() else None,
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled,
        "cudnn_deterministic": lambda: cudnn.deterministic,
        "cudnn_benchmark": lambda: cudnn.benchmark,
        "cudnn_tf32": lambda: cudnn.allow_tf32,
        "matmul_tf32": lambda: matmul.allow_tf32,
        "matmul_precision": torch.get_float32_matmul_precision,
    }
    found: dict[str, Any] = dict.fromkeys(asked)
    for name, ask in asked.items():
        # torch refuses to tell some of them where its old and new switches were mixed.
        with contextlib.suppress(RuntimeError):
            found[name] = ask()
    return found

"""The control plane of udabench: suites, plans, engines, records and reports.

Importing it is cheap; nothing here imports torch, pandas or any other heavy package on its own.
"""

from __future__ import annotations

from typing import Any

__all__ = ["__version__", "load_records"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Lazy, because pandas is slow to import and the command line does not need it.
    if name == "load_records":
        from benchmark.report.frame import load_records

        return load_records
    raise AttributeError(f"module 'benchmark' has no attribute {name!r}")

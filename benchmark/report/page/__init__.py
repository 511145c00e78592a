"""The report as one page: ``report.html``, self-contained, for a browser on any device."""

from __future__ import annotations

from benchmark.report.page.build import page

__all__ = ["page"]

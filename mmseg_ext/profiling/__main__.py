"""Measure in a process of its own: ``python -m mmseg_ext.profiling JOB RESULT``.

JOB is a file with a job as JSON, RESULT the file that its document is written to. Errors are
written there too, as ``{"error": ...}``.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any


def main(job_file: str, result_file: str) -> int:
    """0: measured; 1: not, and the result says why."""
    document: dict[str, Any]
    try:
        from mmseg_ext.profiling.job import Job
        from mmseg_ext.profiling.measure import measure

        document = measure(Job.of(json.loads(Path(job_file).read_text(encoding="utf-8"))))
    except Exception as error:
        traceback.print_exc()
        document = {"error": f"{type(error).__name__}: {error}"}
    Path(result_file).write_text(json.dumps(document, allow_nan=False), encoding="utf-8")
    return 1 if "error" in document else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

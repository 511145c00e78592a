"""Check in a process of its own: ``python -m mmseg_ext.conformance JOB RESULT``.

JOB is a file with a job as JSON, RESULT the file that the verdicts are written to, after each of
them anew.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.kit import verdicts


def main(job_file: str, result_file: str) -> int:
    """0: all rules are kept; 1: one is not, and its verdict says which."""
    job = Job.of(json.loads(Path(job_file).read_text(encoding="utf-8")))
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="udabench-check-") as folder:
        for verdict in verdicts(job.inside(Path(folder))):
            found.append(dataclasses.asdict(verdict))
            temporary = Path(f"{result_file}.tmp")
            temporary.write_text(json.dumps(found), encoding="utf-8")
            os.replace(temporary, result_file)
    return 1 if any(each["state"] == "failed" for each in found) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""``udabench doctor``: print what was checked."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from benchmark import doctor


def run(parsed: argparse.Namespace) -> int:
    """Print the findings. Returns 1 if one of them would stop a run."""
    findings = doctor.examine(Path(parsed.out))
    stopped = any(finding.level == "problem" for finding in findings)
    if parsed.json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            mark = "" if finding.level == "ok" else f"{finding.level}: "
            print(f"{finding.topic:<15} {mark}{finding.text}")
    return 1 if stopped else 0

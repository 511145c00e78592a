"""``udabench check``: whether a method or an encoder keeps the benchmark's rules."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import Any

from benchmark import check, provenance
from benchmark.check import Report
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.engines import signals

_WIDTH = 100


def run(parsed: argparse.Namespace) -> int:
    """Check and print. 0: every rule is kept; 1: one is not."""
    signals.interruptible()
    kind, name = check.kind_of(parsed.name)
    found = check.check(kind, name, parsed.with_)
    print(json.dumps(document(found), indent=1) if parsed.json else text(found))
    return EXIT_DONE if found.passed else EXIT_FAILED


def document(found: Report) -> dict[str, Any]:
    """What ``--json`` prints."""
    other = "encoder" if found.kind == "method" else "method"
    return {
        "kind": found.kind,
        "name": found.name,
        "origin": found.origin,
        "with": {other: found.companion, "protocol": check.PROTOCOL},
        "passed": found.passed,
        "seconds": round(found.seconds, 1),
        "checks": [
            {
                **each,
                "detail": provenance.scrub(each["detail"]),
                "seconds": round(each["seconds"], 2),
            }
            for each in found.checks
        ],
    }


def text(found: Report) -> str:
    """A line for each verdict, and one that counts them."""
    made = document(found)
    ((other, companion), _) = made["with"].items()
    lines = [f"{found.kind} {found.name} ({found.origin}), with {other} {companion}, on the CPU"]
    states = max(len(each["state"]) for each in made["checks"])
    names = max(len(each["check"]) for each in made["checks"])
    for each in made["checks"]:
        begin = f"  {each['state'].ljust(states)}  {each['check'].ljust(names)}  "
        indent = " " * len(begin)
        lines += textwrap.wrap(
            each["detail"], max(_WIDTH, 60), initial_indent=begin, subsequent_indent=indent
        )
    counts = [
        f"{sum(each['state'] == state for each in made['checks'])} {state}"
        for state in ("ok", "failed", "does not apply")
    ]
    lines.append(f"{found.name}: {', '.join(counts)} ({made['seconds']:.0f} s)")
    return "\n".join(lines)

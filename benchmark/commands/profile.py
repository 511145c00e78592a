"""``udabench profile``: what a training step of a method costs with an encoder."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from benchmark import profile, profile_results, profile_tables, provenance, registry
from benchmark import suite as suites
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.engines import signals
from benchmark.profile import Terms
from benchmark.records import write_atomically
from benchmark.suite import Suite


def run(parsed: argparse.Namespace) -> int:
    """Measure and print. 0: all was measured; 1: something could not be."""
    signals.interruptible()
    suite = _suite(parsed)
    terms = Terms(
        crop=parsed.crop,
        precision=parsed.precision,
        batch=parsed.batch,
        steps=parsed.steps,
        warmup=parsed.warmup,
        repeats=parsed.repeats,
        device=parsed.device,
        threads=parsed.threads,
        against_baseline=parsed.against == "baseline",
    )
    wanted = profile.combinations(suite, suite.methods, suite.encoders, terms)
    found = list(profile_results.rows(wanted, profile.in_own_process, _announce))
    command = provenance.relative_command(sys.argv[1:])
    document = profile_results.document(suite, terms, found, command)
    if parsed.json:
        write_atomically(Path(parsed.json), json.dumps(document, indent=1, allow_nan=False) + "\n")
    print(profile_tables.markdown(document), end="")
    return EXIT_DONE if all(row["state"] == "done" for row in found) else EXIT_FAILED


def _suite(parsed: argparse.Namespace) -> Suite:
    """The suite with the protocol, the methods and the encoders that were asked for."""
    suite = suites.load(parsed.suite)
    for kind, names in (("method", parsed.method), ("encoder", parsed.encoder)):
        for name in names:
            registry.find(kind, name)
    if parsed.protocol:
        registry.find("protocol", parsed.protocol)
    return dataclasses.replace(
        suite,
        protocol=parsed.protocol or suite.protocol,
        protocols={} if parsed.protocol else suite.protocols,
        methods=tuple(parsed.method) or suite.methods,
        encoders=tuple(parsed.encoder) or suite.encoders,
    )


def _announce(message: str) -> None:
    print(f"udabench: {message}", file=sys.stderr, flush=True)

"""``udabench report``: write a suite's tables, figures and page, and print the tables."""

from __future__ import annotations

import argparse
import sys
import time
import webbrowser
from pathlib import Path

from benchmark import zero_shot
from benchmark.cli import EXIT_FAILED
from benchmark.commands import options
from benchmark.commands.planning import exit_code, summary
from benchmark.errors import UdabenchError, UsageError
from benchmark.paths import shown
from benchmark.plan import Plan

Stamps = dict[Path, tuple[int, int]]


def run(parsed: argparse.Namespace) -> int:
    """Write and print the report of the whole suite; with ``--only``, print its part.

    The exit code is that of ``status``, or 1 if a picture could not be made. Watching ends with an
    interruption and 130.
    """
    from benchmark import report

    if parsed.only:
        for option in ("open", "watch", "into"):
            if getattr(parsed, option):
                raise UsageError(f"--{option}: needs the whole suite, --only writes nothing")
        planned = options.make_plan(parsed)
        report.print_tables(planned, sys.stdout)
        return exit_code(planned)
    # Before anything is read: what comes while the first report is made must not be missed.
    seen = _stamps(options.make_plan(parsed).folder) if parsed.watch is not None else {}
    planned, problems = _write(parsed)
    if parsed.open:
        _open(planned.folder / report.PAGE)
    if parsed.watch is not None:
        _watch(parsed, planned.folder, seen)
    report.print_tables(planned, sys.stdout)
    return EXIT_FAILED if problems else exit_code(planned)


def _write(parsed: argparse.Namespace) -> tuple[Plan, bool]:
    """Write everything once and tell it; returns the plan and whether a picture is missing."""
    from benchmark import report

    planned = options.make_plan(parsed)
    written = report.write(planned, figures=not parsed.no_figures)
    changed = set(written.changed)
    if parsed.watch is None:
        for path in written.files:
            print(f"{'wrote' if path in changed else 'kept'} {shown(path)}", file=sys.stderr)
        for path in written.removed:
            print(f"removed {shown(path)}", file=sys.stderr)
    else:
        page = shown(planned.folder / report.PAGE)
        clock = time.strftime("%H:%M:%S")
        print(f"{clock} {summary(planned)}; {len(changed)} files changed, see {page}", flush=True)
    for problem in written.problems:
        print(f"udabench: {problem}", file=sys.stderr)
    if parsed.into:
        from benchmark.report.document import update

        update(Path(parsed.into), planned.suite.name, report.render(planned))
    return planned, bool(written.problems)


def _watch(parsed: argparse.Namespace, folder: Path, seen: Stamps) -> None:
    """Write again whenever records differ from ``seen``, until the user interrupts."""
    while True:
        time.sleep(parsed.watch)
        found = _stamps(folder)
        if found == seen:
            continue
        seen = found
        try:
            _write(parsed)
        except (OSError, UdabenchError) as error:
            # Somebody may be at work on the files: the next change is another chance.
            print(f"udabench: {error}", file=sys.stderr, flush=True)


def _stamps(folder: Path) -> Stamps:
    """Time and size of every record of a cell or a zero-shot encoder: what changes at its end."""
    found = {}
    for path in [*folder.glob("records/*.json"), *folder.glob(f"{zero_shot.FOLDER}/*.json")]:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def _open(page: Path) -> None:
    address = page.absolute().as_uri()
    if not webbrowser.open(address):
        print(f"udabench: found no browser to open {shown(page)}", file=sys.stderr)

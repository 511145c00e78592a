"""``udabench data check``: print what was found in downloaded data sets."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from benchmark import data_check
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.commands.bars import progress_bar
from benchmark.commands.chosen_domains import chosen
from benchmark.data_findings import ERROR, NOTE, WARNING, DomainReport, Problem, SplitReport
from benchmark.engines.devices import cores

EXAMPLES = 5
_WIDTH = 100
_SIZES = 4  # that are named; variable sizes would fill the screen


def run(parsed: argparse.Namespace) -> int:
    """Check the domains and print the reports. Returns 0 if training and scoring could start."""
    processes = parsed.processes or cores()
    reports: list[DomainReport] = []
    listings: dict[Path, Any] = {}
    for domain, folder in chosen(parsed):
        with progress_bar(f"checking {domain.name}") as progress:
            reports.append(data_check.check(domain, folder, processes, progress, listings))
        if not parsed.json:
            print(text(reports[-1]), end="\n\n", flush=True)
    ready = [report.ready for report in reports]
    if parsed.json:
        print(json.dumps({"ready": all(ready), "domains": [plain(r) for r in reports]}, indent=1))
    elif len(reports) > 1:
        print(f"{sum(ready)} of {len(ready)} domains are ready")
    return EXIT_DONE if all(ready) else EXIT_FAILED


def plain(report: DomainReport) -> dict[str, Any]:
    """Everything that a report holds, as JSON."""
    splits = [{**asdict(split), "usable": split.usable} for split in report.splits]
    return {**asdict(report), "splits": splits, "ready": report.ready}


def text(report: DomainReport) -> str:
    """A report for people."""
    lines = [f"{report.domain}  {report.folder}"]
    if report.is_export:
        lines.append("  not the real data set: MiniDrive scenes in its layout")
    for split in report.splits:
        lines += _split(split)
    excluded = sum(split.excluded for split in report.splits)
    if excluded:
        counts = Counter(report.excluded.values())
        reasons = "; ".join(f"{reason} ({count})" for reason, count in counts.items())
        lines += _wrapped("  left out  ", f"{_number(excluded)} known to be bad: {reasons}")
    problems = [(report.problems, ""), *((s.problems, f"{s.split}: ") for s in report.splits)]
    for level in (ERROR, WARNING, NOTE):
        for group, where in problems:
            for kind, problem in group.items():
                if problem.level == level:
                    lines += _problem(where + kind, problem)
    if report.download:
        lines += _download(report.download)
    lines.append("  ready" if report.ready else "  NOT READY: see the errors above")
    return "\n".join(lines)


def _split(split: SplitReport) -> list[str]:
    title = f"  {split.split:<8}  "
    if split.layout is None:
        return [f"{title}nothing found"]
    of = f" of {_number(split.published)}" if split.published is not None else ""
    labels = f"{_number(split.labels)} labels" if split.labels else "no labels"
    found = f"{_number(split.images)}{of} images, {labels}, layout {split.layout}"
    lines = [
        title + found,
        *_kinds("images", split.image_sizes, split.image_modes),
        *_kinds("labels", split.label_sizes, split.label_modes),
    ]
    if split.shares:
        ranked = sorted(split.shares.items(), key=lambda item: -item[1])
        shares = ", ".join(f"{name} {_percent(share)}" for name, share in ranked)
        lines += _wrapped("  classes   ", f"{shares}; ignored {_percent(split.ignored or 0)}")
    if split.never_seen and split.label_sizes:
        lines += _wrapped("  never     ", ", ".join(split.never_seen))
    return lines


def _kinds(title: str, sizes: Mapping[str, int], modes: Mapping[str, int]) -> list[str]:
    if not modes:
        return []
    shown = [f"{size} ({_number(count)})" for size, count in islice(sizes.items(), _SIZES)]
    if len(sizes) > _SIZES:
        shown.append(f"{len(sizes) - _SIZES} more sizes")
    kinds = [f"{mode} ({_number(count)})" for mode, count in modes.items()]
    return _wrapped(f"  {title:<8}  ", f"{', '.join(shown)}; {', '.join(kinds)}")


def _problem(kind: str, problem: Problem) -> list[str]:
    lines = [f"  {problem.level}: {kind} ({_number(problem.count)})"]
    lines += (f"    {_printable(example)}" for example in problem.examples[:EXAMPLES])
    if problem.count > EXAMPLES:
        lines.append(f"    and {_number(problem.count - EXAMPLES)} more")
    return lines


def _download(card: Mapping[str, Any]) -> list[str]:
    """What a user has to fetch; nothing is downloaded here."""
    lines = _wrapped("  download  ", f"{card.get('url', 'see its paper')} ({card.get('access')})")
    if card.get("packages"):
        lines += _wrapped("            ", ", ".join(card["packages"]))
    return lines


def _wrapped(title: str, content: str) -> list[str]:
    return textwrap.wrap(
        content,
        _WIDTH,
        initial_indent=title,
        subsequent_indent=" " * len(title),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _printable(line: str) -> str:
    """A name in it must not move the cursor or break the line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _number(value: int) -> str:
    return f"{value:,}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share >= 0.001 or share == 0 else "<0.1%"

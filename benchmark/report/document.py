"""Tables inside a Markdown document, such as a README: between two marks, made by the tool.

A block begins with the line ``<!-- udabench report SUITE: TABLE -->`` and ends with the line
``<!-- end -->``. What stands between them is replaced; everything else stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmark import registry
from benchmark.errors import UsageError
from benchmark.paths import shown
from benchmark.records import write_atomically
from benchmark.report.formats.markdown import markdown
from benchmark.report.model import Table

END = "<!-- end -->"
_BEGIN = re.compile(r"<!-- udabench report (?P<suite>\S+): (?P<table>\S+) -->")


def update(path: Path, suite: str, tables: Sequence[Table]) -> bool:
    """Renew the blocks of ``suite`` in the document at ``path``; returns whether it changed.

    Blocks of other suites stay as they are. The file is written whole or not at all.

    Raises:
        UsageError: the file cannot be read, has no block of the suite, a block is not closed, or
            one names a table that the suite does not have.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--into {shown(path)}: {error}") from error
    renewed = insert(text, suite, tables, shown(path))
    if renewed != text:
        write_atomically(path, renewed)
    return renewed != text


def insert(text: str, suite: str, tables: Sequence[Table], place: str = "document") -> str:
    """``text`` with the blocks of ``suite`` renewed. Raises ``UsageError`` as ``update`` does."""
    known = {table.name: table for table in tables}
    lines: list[str] = []
    opened: int | None = None
    found = False
    for number, line in enumerate(text.split("\n"), start=1):
        begin = _BEGIN.fullmatch(line.strip())
        if begin and opened is not None:
            raise UsageError(f"{place}:{opened}: no line {END} before the next block")
        if begin and begin["suite"] == suite:
            if begin["table"] not in known:
                message = registry.unknown("table", begin["table"], known)
                raise UsageError(f"{place}:{number}: suite {suite}: {message}")
            found, opened = True, number
            lines += [line, "", *_body(known[begin["table"]]), ""]
        elif opened is None:
            lines.append(line)
        elif line.strip() == END:
            opened = None
            lines.append(line)
    if opened is not None:
        raise UsageError(f"{place}:{opened}: no line {END} closes this block")
    if not found:
        raise UsageError(
            f"{place}: no block of suite {suite}; begin one with the line "
            f"<!-- udabench report {suite}: {next(iter(known), 'uda')} --> and end it with {END}"
        )
    return "\n".join(lines)


def _body(table: Table) -> list[str]:
    """The table's lines, one heading level further down: a document has its own titles."""
    lines = markdown(table).strip().splitlines()
    return [f"#{line}" if line.startswith("##") else line for line in lines]

"""What was found out about files, kept in a text file, so that a check that was stopped goes on.

A line is a checksum, the key of a sample, which changes when its files do, and the finding, both
JSON. Lines are appended as they come; one that was cut short or changed counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from mmseg_ext.datasets.files import status
from mmseg_ext.datasets.inspection import VERSION, Finding, Rules, Subject
from mmseg_ext.errors import ExtensionError


def log_name(rules: Rules) -> str:
    """A name for the log of a data set's files read by these rules."""
    return _digest([VERSION, asdict(rules)])


def key_of(root: str, subject: Subject) -> str | None:
    """What tells a sample and the state of its files; ``None`` if one of them is not there."""
    parts: list[object] = []
    try:
        for path in (subject.image, subject.label):
            if path is not None:
                found = status(f"{root}/{path}")
                parts += [path, found.size, found.stamp]
    except ExtensionError:
        return None
    if subject.segments is not None:
        parts.append(_digest(sorted(subject.segments.items())))
    return json.dumps(parts)


class InspectionLog:
    """Findings by key; a context manager that has the file open for appending.

    Raises:
        OSError: the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = {}

    def __enter__(self) -> InspectionLog:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._read()
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        if end and os.pread(self._descriptor, 1, end - 1) != b"\n":
            os.write(self._descriptor, b"\n")  # after a line that was cut short
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def get(self, key: str | None) -> Finding | None:
        """What is known of a sample."""
        line = self._known.get(key) if key is not None else None
        if line is None:
            return None
        try:
            return Finding.from_plain(json.loads(line))
        except (ValueError, TypeError, AttributeError):
            return None

    def append(self, found: Iterable[tuple[str | None, Finding]]) -> None:
        """Keep findings; those without a key are of files that are not there."""
        lines = [
            _line(key, json.dumps(finding.to_plain(), separators=(",", ":")))
            for key, finding in found
            if key is not None
        ]
        content = memoryview("".join(lines).encode())
        while content:
            content = content[os.write(self._descriptor, content) :]

    def _read(self) -> None:
        try:
            content = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        lines = content.split("\n")
        for line in lines:
            checksum, _, entry = line.partition("\t")
            if entry and checksum == _checksum(entry):
                key, _, finding = entry.partition("\t")
                self._known[key] = finding
        # Of files that changed the last finding is enough; a key begins with the image's name.
        current = {key.partition('",')[0]: key for key in self._known}
        if len(lines) > 2 * len(current) + 1000:
            self._known = {key: self._known[key] for key in current.values()}
            temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
            temporary.write_text("".join(_line(*entry) for entry in self._known.items()))
            os.replace(temporary, self._path)


def _line(key: str, finding: str) -> str:
    entry = f"{key}\t{finding}"
    return f"{_checksum(entry)}\t{entry}\n"


def _checksum(entry: str) -> str:
    return f"{zlib.crc32(entry.encode()):08x}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]

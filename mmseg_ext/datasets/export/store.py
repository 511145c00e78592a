"""Where exported files go: a folder, or archives in it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time of zip archives: the bytes depend on no clock
_PACKED = (".png", ".jpg", ".jpeg")
_READABLE = 0o100644 << 16


ArchiveRule = Callable[[str], tuple[str, str] | None]
"""The archive in which a path is published and its path there, or ``None`` for a loose file."""


class Store:
    """Writes each path once, into a folder or into archives there.

    Args:
        archive: without this rule all files are loose.
    """

    def __init__(self, folder: Path, archive: ArchiveRule | None = None) -> None:
        self._folder = folder
        self._archive = archive
        self._archives: dict[str, zipfile.ZipFile] = {}
        self._paths: set[str] = set()

    def write(self, path: str, content: bytes) -> None:
        """Write a file.

        Raises:
            ValueError: the path was written before.
            OSError: the disk is full, for example.
        """
        if path in self._paths:
            raise ValueError(f"{path}: two files of this name")
        self._paths.add(path)
        place = self._archive(path) if self._archive else None
        if place is None:
            target = self._folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            return
        name, inside = place
        if name not in self._archives:
            self._archives[name] = zipfile.ZipFile(self._folder / name, "w")
        member = zipfile.ZipInfo(inside, _EPOCH)
        member.external_attr = _READABLE
        packed = path.lower().endswith(_PACKED)
        member.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        self._archives[name].writestr(member, content)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for archive in self._archives.values():
            archive.close()

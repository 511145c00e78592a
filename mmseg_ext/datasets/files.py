"""Files of a data set, in folders and in zip archives, addressed alike.

A path may lead through an archive as if it were a folder: ``gta5/01_images.zip/images/00001.png``.
Archives are read in place. Members are read by position with ``pread``, without a shared file
offset, so threads and forked worker processes may use one open archive at the same time.
"""

from __future__ import annotations

import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmseg_ext.errors import UnreadableFileError

_SKIPPED = ("__MACOSX",)
# Archives that hold data sets in practice but have no directory that could be read in place.
_SEALED = (".rar", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


@dataclass(frozen=True)
class Listing:
    """What lies below a data set's folder.

    Attributes:
        files: paths of all files relative to the folder, with forward slashes and sorted; members
            of archives follow the archive's own name.
        problems: one sentence for each name, link or archive that cannot be used.
        sealed: archives that have to be unpacked before anything in them can be read.
    """

    root: Path
    files: tuple[str, ...]
    problems: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileStatus:
    """Size in bytes, and a number that changes with the content: time of change, or the CRC."""

    size: int
    stamp: int


def read_bytes(path: str, what: str = "file") -> bytes:
    """Content of a file, in a folder or in an archive.

    Raises:
        UnreadableFileError: the file is missing, not a file, or damaged inside of its archive.
    """
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except NotADirectoryError:
        archive, member = _split(path)
        return _open(archive).read(member)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableFileError(f"{path}: cannot read this {what} ({reason})") from error


def status(path: str) -> FileStatus:
    """Size and stamp of a file, in a folder or in an archive.

    Raises:
        UnreadableFileError: there is no such file.
    """
    try:
        found = os.stat(path)
        return FileStatus(found.st_size, found.st_mtime_ns)
    except NotADirectoryError:
        archive, member = _split(path)
        entry = _open(archive).entry(member)
        return FileStatus(entry.file_size, entry.CRC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableFileError(f"{path}: {reason}") from error


def scan(root: Path) -> Listing:
    """List everything below a folder; links are followed, loops and unusable names reported.

    Raises:
        UnreadableFileError: there is no such folder.
    """
    if not root.is_dir():
        raise UnreadableFileError(f"{root}: there is no such folder")
    files: list[str] = []
    problems: list[str] = []
    sealed: list[str] = []
    for path in _walk(root, "", (_key(root),), problems):
        if path.lower().endswith(".zip"):
            try:
                files += (f"{path}/{member}" for member in _open(str(root / path)).members())
            except UnreadableFileError as error:
                problems.append(str(error))
        else:
            files.append(path)
            if path.lower().endswith(_SEALED):
                sealed.append(path)
    return Listing(root, tuple(sorted(files)), tuple(problems), tuple(sealed))


def _walk(
    root: Path, below: str, ancestors: tuple[tuple[int, int], ...], problems: list[str]
) -> Iterator[str]:
    """Relative paths of the files below a folder; only regular files, so nothing can block."""
    try:
        entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    except OSError as error:
        problems.append(f"{root / below}: cannot be listed ({error.strerror})")
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if not _is_text(entry.name):
            problems.append(f"{root / below}: a name in it is not UTF-8 ({entry.name!r}); rename")
            continue
        path = f"{below}/{entry.name}" if below else entry.name
        try:
            if entry.is_file():
                yield path
            elif entry.is_dir():
                key = _key(Path(entry.path))
                if key in ancestors:
                    problems.append(f"{entry.path}: a link to a folder that contains it; remove it")
                else:
                    yield from _walk(root, path, (*ancestors, key), problems)
            elif entry.is_symlink():
                problems.append(f"{entry.path}: a link to nothing; remove it or mend its target")
        except OSError as error:
            problems.append(f"{entry.path}: {error.strerror}")


def _key(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _split(path: str) -> tuple[str, str]:
    """Archive and member of a path that leads through an archive."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        archive = "/".join(parts[:length])
        if archive.lower().endswith(".zip") and os.path.isfile(archive):
            return archive, "/".join(parts[length:])
    raise UnreadableFileError(f"{path}: a part of this path is a file and no folder or zip archive")


class _Archive:
    """One zip archive, opened once in a process, read at any position by any number of threads."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise UnreadableFileError(
                f"{path}: not a whole zip archive ({error}); download it again"
            ) from error
        self._entries = {entry.filename: entry for entry in entries if not entry.is_dir()}

    def members(self) -> list[str]:
        """Names of the files in the archive."""
        return [
            name
            for name in self._entries
            if not any(part.startswith(".") or part in _SKIPPED for part in name.split("/"))
            and _is_text(name)
        ]

    def entry(self, member: str) -> zipfile.ZipInfo:
        """The archive's entry for a member. Raises ``UnreadableFileError`` without one."""
        try:
            return self._entries[member]
        except KeyError:
            raise UnreadableFileError(f"{self.path}: the archive holds no {member}") from None

    def read(self, member: str) -> bytes:
        """Content of a member, checked against its checksum."""
        entry = self.entry(member)
        place = f"{self.path}/{member}"
        if entry.flag_bits & 1:
            raise UnreadableFileError(f"{place}: encrypted; unpack the archive with its password")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableFileError(
                f"{place}: compressed by method {entry.compress_type}, only stored and deflated "
                "members are read in place; unpack the archive"
            )
        try:
            packed = self._packed(entry)
            content = packed
            if entry.compress_type == zipfile.ZIP_DEFLATED:
                content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, entry.file_size)
        except (OSError, ValueError, zlib.error, struct.error) as error:
            raise UnreadableFileError(
                f"{place}: damaged inside of its archive ({error})"
            ) from error
        if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
            raise UnreadableFileError(
                f"{place}: damaged inside of its archive (checksum differs); download it again"
            )
        return content

    def _packed(self, entry: zipfile.ZipInfo) -> bytes:
        header = os.pread(self._descriptor, _LOCAL_HEADER.size, entry.header_offset)
        signature, *_, name, extra = _LOCAL_HEADER.unpack(header)
        if signature != b"PK\x03\x04":
            raise ValueError("no member begins where the directory says")
        start = entry.header_offset + _LOCAL_HEADER.size + name + extra
        return os.pread(self._descriptor, entry.compress_size, start)


_archives: dict[str, _Archive] = {}
_lock = threading.Lock()
# A forked child must not inherit a lock that another thread held at that moment.
os.register_at_fork(after_in_child=lambda: globals().update(_lock=threading.Lock()))


def _open(path: str) -> _Archive:
    with _lock:
        if path not in _archives:
            _archives[path] = _Archive(path)
        return _archives[path]

"""Files of a data set, in folders and in zip archives, addressed alike.

A path may lead through an archive as if it were a folder: ``gta5/01_images.zip/images/00001.png``.
Archives are read in place, see `mmseg_ext.datasets.archives`.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mmseg_ext.datasets.archives import LARGEST, archive
from mmseg_ext.errors import UnreadableFileError

_SKIPPED = "__MACOSX"
# Archives that hold data sets in practice but have no directory that could be read in place.
_SEALED = (".rar", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_MOST_FILES = 5_000_000  # a data root of "/" is to be refused, not to be listed for hours
_MOST_VISITS = 4  # of one folder through links; links between links multiply without end
_LONGEST_NAME, _LONGEST_PATH = 255, 4096  # of file systems; archives know no limit


@dataclass(frozen=True)
class Listing:
    """What lies below a data set's folder.

    Attributes:
        root: the folder, or a zip archive that takes its place.
        files: paths of all files relative to the folder, with forward slashes and sorted; members
            of archives follow the archive's own name.
        problems: one sentence for each name, link or archive that cannot be used.
        sealed: archives that have to be unpacked before anything in them can be read.
        damaged: zip archives that are not whole; each is among the problems.
    """

    root: Path
    files: tuple[str, ...]
    problems: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileStatus:
    """Size in bytes, and a number that changes with the content: time of change, or the CRC."""

    size: int
    stamp: int


def read_bytes(path: str, what: str = "file") -> bytes:
    """Content of a file, in a folder or in an archive.

    Raises:
        UnreadableFileError: the file is missing, no regular file, larger than any image, or
            damaged inside of its archive.
    """
    try:
        # Opening a pipe that nobody writes to would wait for ever without O_NONBLOCK.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableFileError(f"{path}: cannot read this {what} (it is no file)")
            if found.st_size > LARGEST:
                raise UnreadableFileError(f"{path}: {found.st_size} bytes, too many for a {what}")
            with open(descriptor, "rb", buffering=0, closefd=False) as stream:
                return stream.readall()
        finally:
            os.close(descriptor)
    except NotADirectoryError:
        place, member = _split(path)
        return archive(place).read(member)
    except (OSError, ValueError) as error:
        raise UnreadableFileError(f"{path}: cannot read this {what} ({_reason(error)})") from error


def status(path: str) -> FileStatus:
    """Size and stamp of a file, in a folder or in an archive.

    Raises:
        UnreadableFileError: there is no such file.
    """
    try:
        found = os.stat(path)
        return FileStatus(found.st_size, found.st_mtime_ns)
    except NotADirectoryError:
        place, member = _split(path)
        entry = archive(place).entry(member)
        return FileStatus(entry.file_size, entry.CRC)
    except (OSError, ValueError) as error:
        raise UnreadableFileError(f"{path}: {_reason(error)}") from error


def scan(root: Path) -> Listing:
    """List everything below a folder; links are followed, loops and unusable names reported.

    Raises:
        UnreadableFileError: there is no such folder (or archive), or no data set is that large.
    """
    found = _Found()
    try:
        if _is_zip(root.name) and root.is_file():
            found.add_archive(str(root), "")
        elif root.is_dir():
            _walk(root, found)
        else:
            raise UnreadableFileError(f"{root}: there is no such folder")
    except OSError as error:
        raise UnreadableFileError(f"{root}: {_reason(error)}") from error
    return Listing(
        root,
        tuple(sorted(found.files)),
        tuple(found.problems),
        tuple(sorted(path for path in found.files if path.lower().endswith(_SEALED))),
        tuple(found.damaged),
    )


@dataclass
class _Found:
    files: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def add_archive(self, place: str, below: str) -> None:
        """Add the members of an archive, as files below ``below``."""
        try:
            members = archive(place).members()
        except UnreadableFileError as error:
            self.problems.append(str(error))
            self.damaged.append(place)
            return
        for member in members:
            problem = _unusable(member)
            if problem:
                self.problems.append(f"{place}: a name in it {problem} ({member[:80]!r})")
            elif not any(_is_hidden(part) for part in member.split("/")):
                self.files.append(f"{below}/{member}" if below else member)


@dataclass(frozen=True)
class _Folder:
    path: str  # below the root
    above: tuple[tuple[int, int], ...]  # device and inode of it and of every folder above


def _walk(root: Path, found: _Found) -> None:
    """Add the files below a folder; only regular ones, so that reading them cannot block."""
    visits = Counter[tuple[int, int]]()
    # Links last: a folder is then known by its own path before it is by another.
    waiting, linked = [_Folder("", (_key(root),))], list[_Folder]()
    while waiting or linked:
        folder = waiting.pop() if waiting else linked.pop(0)
        visits[folder.above[-1]] += 1
        if visits[folder.above[-1]] > _MOST_VISITS:
            found.problems.append(f"{root / folder.path}: too many links lead to this folder")
            continue
        for entry, path in _entries(root, folder.path, found):
            try:
                if entry.is_dir():
                    below = _below(folder, Path(entry.path), path, found)
                    if below:
                        (linked if entry.is_symlink() else waiting).append(below)
                elif not entry.is_file():
                    found.problems.append(f"{entry.path}: {_nature(entry)}")
                elif _is_zip(path):
                    found.add_archive(entry.path, path)
                else:
                    found.files.append(path)
            except OSError as error:
                found.problems.append(f"{entry.path}: {_reason(error)}")
        if len(found.files) > _MOST_FILES:
            raise UnreadableFileError(
                f"{root}: more than {_MOST_FILES} files; name the folder of one data set"
            )


def _entries(root: Path, below: str, found: _Found) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Entries of a folder that have usable names, sorted, with their paths below the root."""
    try:
        with os.scandir(root / below) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        found.problems.append(f"{root / below}: cannot be listed ({_reason(error)})")
        return
    for entry in listed:
        if _is_hidden(entry.name):
            continue
        problem = _unusable(entry.name)
        if problem:
            found.problems.append(f"{root / below}: a name {problem} ({entry.name!r}); rename it")
        else:
            yield entry, f"{below}/{entry.name}" if below else entry.name


def _below(above: _Folder, place: Path, path: str, found: _Found) -> _Folder | None:
    key = _key(place)
    if key in above.above:
        found.problems.append(f"{place}: a link to a folder that contains it; remove it")
        return None
    return _Folder(path, (*above.above, key))


def _nature(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink() and not os.path.exists(entry.path):
        return "a link to nothing; remove it or mend its target"
    return "neither a file nor a folder (a pipe, a socket or a device); it is left out"


def _key(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _is_hidden(part: str) -> bool:
    return part == _SKIPPED or (part.startswith(".") and part != ".")


def _unusable(name: str) -> str | None:
    """Why a name cannot be used, or ``None``."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "is not UTF-8"
    if len(name) > _LONGEST_PATH or any(len(part) > _LONGEST_NAME for part in name.split("/")):
        return "is longer than a file's name can be"
    return None


def _reason(error: Exception) -> object:
    return getattr(error, "strerror", None) or error


def _split(path: str) -> tuple[str, str]:
    """Archive and member of a path that leads through an archive."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        place = "/".join(parts[:length])
        if _is_zip(place) and os.path.isfile(place):
            return place, "/".join(parts[length:])
    raise UnreadableFileError(f"{path}: a part of this path is a file and no folder or zip archive")

"""Zip archives read in place, by many threads and forked worker processes at the same time.

Members are read by position with ``pread``, so no file offset is shared between readers. Zip64 is
understood, whether for archives beyond 4 GB or for more than 65,535 members.
"""

from __future__ import annotations

import os
import struct
import threading
import zipfile
import zlib
from collections import OrderedDict

from mmseg_ext.errors import UnreadableFileError

LARGEST = 2**30
"""Bytes of the largest file that is read: beyond every image, label and list of a data set."""

_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_OPEN_AT_ONCE = 64  # archives; each holds a file descriptor


class Archive:
    """One zip archive, read at any position by any number of threads.

    Raises:
        UnreadableFileError: there is no such archive, or it is not whole.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = -1
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except Exception as error:  # zipfile raises whatever a damaged directory makes it raise
            raise UnreadableFileError(
                f"{path}: not a whole zip archive ({error}); download it again"
            ) from error
        self._entries = {_slashed(entry.filename): entry for entry in entries if not entry.is_dir()}

    def __del__(self) -> None:
        # When nobody reads from it any more, not when it leaves the list of open archives.
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def members(self) -> list[str]:
        """Names of the files in the archive, with forward slashes."""
        return list(self._entries)

    def entry(self, member: str) -> zipfile.ZipInfo:
        """The archive's entry for a member. Raises ``UnreadableFileError`` without one."""
        try:
            return self._entries[member]
        except KeyError:
            raise UnreadableFileError(f"{self.path}: the archive holds no {member}") from None

    def read(self, member: str) -> bytes:
        """Content of a member, checked against its checksum.

        Raises:
            UnreadableFileError: there is none, it is damaged, or compressed in another way than
                published data sets are.
        """
        entry = self.entry(member)
        place = f"{self.path}/{member}"
        if entry.flag_bits & 1:
            raise UnreadableFileError(f"{place}: encrypted; unpack the archive with its password")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableFileError(
                f"{place}: compressed by method {entry.compress_type}, only stored and deflated "
                "members are read in place; unpack the archive"
            )
        if max(entry.file_size, entry.compress_size) > LARGEST:
            raise UnreadableFileError(f"{place}: {entry.file_size} bytes, no image or label")
        try:
            content = self._packed(entry)
            if entry.compress_type == zipfile.ZIP_DEFLATED:
                # One byte more than there should be: nothing can unpack to fill the memory.
                unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
                content = unpacking.decompress(content, entry.file_size + 1)
        except (OSError, ValueError, zlib.error, struct.error) as error:
            raise UnreadableFileError(
                f"{place}: damaged inside of its archive ({error}); download it again"
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
        content = os.pread(self._descriptor, entry.compress_size, start)
        if len(content) != entry.compress_size:
            raise ValueError("the archive ends before the member does")
        return content


def _slashed(name: str) -> str:
    """Some programs on Windows write backslashes, against the standard."""
    return name if "/" in name else name.replace("\\", "/")


_Identity = tuple[int, int, int, int]
_archives: OrderedDict[str, tuple[_Identity, Archive]] = OrderedDict()
_lock = threading.Lock()


def _after_fork() -> None:
    """A child must not inherit a lock that another thread held at that moment."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


def archive(path: str) -> Archive:
    """The archive at a path, opened once as long as its file stays the same.

    Raises:
        UnreadableFileError: there is no such archive, or it is not whole.
    """
    try:
        found = os.stat(path)
    except OSError as error:
        raise UnreadableFileError(f"{path}: {error.strerror}") from error
    identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    with _lock:
        known = _archives.get(path)
        if known is None or known[0] != identity:
            known = _archives[path] = (identity, Archive(path))
        _archives.move_to_end(path)
        while len(_archives) > _OPEN_AT_ONCE:
            _archives.popitem(last=False)
        return known[1]

"""Folders that appear as a whole or not at all."""

from __future__ import annotations

import contextlib
import filecmp
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmark.errors import UdabenchError, UsageError


@contextlib.contextmanager
def staged(target: Path, suffix: str) -> Iterator[Path]:
    """Give a temporary folder beside ``target``, and at the end make its files those of ``target``.

    Where there is no ``target`` yet it appears at once. To one that exists the files are added; a
    file that is there already must be the same, except for an archive, which then gets ``suffix``.

    Raises:
        UsageError: another file of the same name is there; nothing was changed.
        UdabenchError: the files cannot be written.
    """
    temporary = target.parent / f".{target.name}.{secrets.token_hex(4)}.tmp"
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if target.exists():
            _add(temporary, target, suffix)
        else:
            temporary.rename(target)
    except OSError as error:
        raise UdabenchError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _add(temporary: Path, target: Path, suffix: str) -> None:
    moves: list[tuple[Path, Path]] = []
    for path in sorted(temporary.rglob("*")):
        if path.is_dir():
            continue
        place = target / path.relative_to(temporary)
        if place.exists() and not filecmp.cmp(path, place, shallow=False):
            if place.suffix != ".zip":
                raise UsageError(
                    f"{place}: another file of this name is there; choose the same size, number of "
                    "images and seed as before, or another folder"
                )
            place = place.with_name(f"{place.stem}-{suffix}.zip")
        moves.append((path, place))
    for path, place in moves:
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)

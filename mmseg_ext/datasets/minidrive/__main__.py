"""Prepare a MiniDrive world from the command line."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from .cache import prepare
from .contact_sheet import contact_sheet
from .errors import MiniDriveError
from .world import World

_TEST_SHARE = World.test_images / World.train_images


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mmseg_ext.datasets.minidrive",
        description="Generate the MiniDrive world: images, labels and captions of eight domains.",
    )
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR", help="cache root")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="worker processes")
    parser.add_argument(
        "--images",
        type=int,
        default=World.train_images,
        metavar="N",
        help="training images per domain (default %(default)s); test sets get a fifth of it",
    )
    parser.add_argument("--height", type=int, default=World.height, metavar="N")
    parser.add_argument("--width", type=int, default=World.width, metavar="N")
    parser.add_argument("--gap", type=float, default=World.gap, metavar="G", help="0..1")
    parser.add_argument("--seed", type=int, default=World.seed, metavar="N")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="also draw an overview picture")
    return parser


class _ProgressLine:
    """One line that is rewritten at most ten times a second; plain lines when not a terminal."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        live = sys.stderr.isatty()
        if done < total and now - self._last < (0.1 if live else 5.0):
            return
        self._last = now
        end = "\r" if live and done < total else "\n"
        print(f"minidrive: {done} of {total} images", end=end, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        world = World(
            height=options.height,
            width=options.width,
            gap=options.gap,
            train_images=options.images,
            test_images=max(1, round(options.images * _TEST_SHARE)),
            seed=options.seed,
        )
        folder = prepare(
            world, options.cache, processes=options.processes, progress=_ProgressLine()
        )
        if options.sheet is not None:
            columns = min(5, world.test_images)
            sheet = contact_sheet(world, columns=columns)
            if not cv2.imwrite(str(options.sheet), sheet[:, :, ::-1]):
                raise MiniDriveError(f"cannot write {options.sheet}")
    except KeyboardInterrupt:
        print("\nstopped; finished splits are kept", file=sys.stderr)
        return 130
    except MiniDriveError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

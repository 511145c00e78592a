"""Worlds: the parameters of a generated data set, and its images by address."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from mmseg_ext.generator_version import GENERATOR_VERSION

from .appearance import develop
from .captions import describe
from .domains import DOMAINS, appearance_key, check_split, shown, splits_of
from .errors import MiniDriveError
from .layout import make_layout
from .sensor import quantise

_LEAST_ROWS = 32
_MOST_COLUMNS = 1024
_RATIO = (1.25, 3.0)


@dataclass(frozen=True)
class Scene:
    """One labelled image."""

    image_rgb: npt.NDArray[np.uint8]
    """(height, width, 3)."""
    label: npt.NDArray[np.uint8]
    """Train ids, (height, width)."""
    caption: str


@dataclass(frozen=True)
class World:
    """Parameters of one generated world. Equal worlds have equal images.

    That holds in every process and order; across versions of NumPy and OpenCV single pixels may
    differ by rounding.

    Raises:
        MiniDriveError: a parameter is out of range.
    """

    height: int = 64
    width: int = 128
    gap: float = 0.68
    """Distance of the target palettes from the synthetic one: 0 is none, 1 is all of it."""
    train_images: int = 800
    """Per training domain."""
    test_images: int = 160
    """Per test domain."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            value = getattr(self, name)
            if type(value) is not int or value < _LEAST_ROWS or value % 8:
                raise MiniDriveError(
                    f"{name} of a MiniDrive world is {value!r}; expected a multiple of 8"
                    f" from {_LEAST_ROWS} on"
                )
        ratio = self.width / self.height
        if not _RATIO[0] <= ratio <= _RATIO[1] or self.width > _MOST_COLUMNS:
            raise MiniDriveError(
                f"a MiniDrive world of {self.height} x {self.width} (height x width) is not"
                f" possible: width / height must lie in {_RATIO[0]}..{_RATIO[1]} and the width"
                f" may be {_MOST_COLUMNS} at most; the usual ratio is 2"
            )
        if not isinstance(self.gap, (int, float)) or not 0 <= self.gap <= 1:
            raise MiniDriveError(f"gap of a MiniDrive world is {self.gap!r}; expected 0..1")
        for name, least in (("train_images", 1), ("test_images", 1), ("seed", 0)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise MiniDriveError(
                    f"{name} of a MiniDrive world is {value!r}; expected a whole number"
                    f" from {least} on"
                )

    def key(self) -> str:
        """Short hex digest of the generator version and all parameters."""
        text = json.dumps(self.parameters(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def parameters(self) -> dict[str, int | float]:
        """Generator version and parameters, as they are written to world.json."""
        return {"generator": GENERATOR_VERSION, **asdict(self), "gap": float(self.gap)}

    def splits(self) -> tuple[tuple[str, str], ...]:
        """All pairs of domain and split: three training and seven test splits."""
        return tuple((name, split) for name in DOMAINS for split in splits_of(name))

    def count(self, domain: str, split: str) -> int:
        """Number of images of a split.

        Raises:
            MiniDriveError: no such domain or split.
        """
        check_split(domain, split)
        return self.train_images if split == "train" else self.test_images

    def render(self, domain: str, split: str, index: int) -> Scene:
        """The image at an address: a pure function of the world and the address.

        Raises:
            MiniDriveError: no such domain, split or index.
        """
        total = self.count(domain, split)
        if not isinstance(index, (int, np.integer)) or not 0 <= index < total:
            raise MiniDriveError(
                f"the {split} split of the MiniDrive domain {domain!r} has no image {index!r};"
                f" valid: 0..{total - 1}"
            )
        layout = make_layout(self.seed, domain, split, int(index), self.height, self.width)
        rng = np.random.default_rng(appearance_key(self.seed, domain, split, int(index)))
        look = shown(domain, int(index))
        frame = develop(layout, look, float(self.gap), rng)
        caption = describe(layout, frame.ids, frame.label, look, rng)
        return Scene(quantise(frame.image), frame.label, caption)

"""The eight domains, their splits, and the random streams behind every image.

An image is addressed by (domain, split, index). Two independent streams belong to an address:

* the *layout* stream decides where things stand and which base colours they have;
* the *appearance* stream decides light, weather, texture and sensor noise.

`fog`, `night`, `rain` and `snow` have a test split only and reuse the layouts of the real test
split with the same index. So the scores of a model on `real` and on, say, `night` differ because
of the condition and not because other streets were drawn. `synthetic`, `real` and `geo` have
layouts of their own, and the training layouts of `synthetic` and `real` are different scenes:
adaptation is unpaired. Appearance streams are never shared.

`adverse` is the counterpart of `real` for adaptation to weather and darkness: a training split
only, of streets that no other split shows, in fog, night, rain and snow in turn. What was trained
on it is scored on the test splits of these four.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import unknown

SPLITS: tuple[str, ...] = ("train", "test")


@dataclass(frozen=True)
class Domain:
    """One column of the benchmark."""

    name: str
    code: int
    """Number in the seed of the appearance stream; never reuse or renumber."""
    layouts: str
    """Domain whose layout stream is used."""
    palette: str
    """Colour table: synthetic, real or geo; empty with `parts`."""
    condition: str
    """clear, fog, night, rain or snow; empty with `parts`."""
    phrase: str
    """Caption pattern; {} is the kind of place. Empty with `parts`."""
    splits: tuple[str, ...] = ("test",)
    """Those of `SPLITS` that there are."""
    parts: tuple[str, ...] = ()
    """Domains that the images look like in turn, instead of an appearance of their own."""


_GAME = "a rendering of a {} in a video game"

_TABLE: tuple[Domain, ...] = (
    Domain("synthetic", 1, "synthetic", "synthetic", "clear", _GAME, SPLITS),
    Domain("real", 2, "real", "real", "clear", "a photo of a {} by day", SPLITS),
    Domain("geo", 3, "geo", "geo", "clear", "a photo of a {} in a foreign country"),
    Domain("fog", 4, "real", "real", "fog", "a photo of a {} in fog"),
    Domain("night", 5, "real", "real", "night", "a photo of a {} at night"),
    Domain("rain", 6, "real", "real", "rain", "a photo of a {} in the rain"),
    Domain("snow", 7, "real", "real", "snow", "a photo of a {} in snow"),
    Domain("adverse", 8, "adverse", "", "", "", ("train",), ("fog", "night", "rain", "snow")),
)

DOMAINS: tuple[str, ...] = tuple(domain.name for domain in _TABLE)
_BY_NAME: dict[str, Domain] = {domain.name: domain for domain in _TABLE}


def find(name: str) -> Domain:
    """The domain called `name`.

    Raises:
        MiniDriveError: there is no such domain.
    """
    if name not in _BY_NAME:
        raise unknown("MiniDrive domain", name, DOMAINS)
    return _BY_NAME[name]


def splits_of(name: str) -> tuple[str, ...]:
    """Splits of the domain called `name`: train and test, or one of them."""
    return find(name).splits


def shown(name: str, index: int) -> Domain:
    """The domain that image `index` of the domain called `name` looks like."""
    parts = find(name).parts
    return find(parts[index % len(parts)] if parts else name)


def check_split(name: str, split: str) -> None:
    """Raise MiniDriveError unless the domain called `name` has this split."""
    valid = splits_of(name)
    if split not in valid:
        raise unknown(f"split of the MiniDrive domain {name!r}:", split, valid)


def layout_key(seed: int, name: str, split: str, index: int, attempt: int) -> str:
    """Seed text of the layout stream."""
    return f"layout/{seed}/{find(name).layouts}/{split}/{index}/{attempt}"


def appearance_key(seed: int, name: str, split: str, index: int) -> tuple[int, int, int, int, int]:
    """Seed numbers of the appearance stream (constant length: NumPy pads keys with zeros)."""
    return (seed, 1, find(name).code, SPLITS.index(split) + 1, index)

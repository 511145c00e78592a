"""Which images an exported data set needs: those of every split that a domain reads, and more."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmark.registry import Fragment

if TYPE_CHECKING:
    from mmseg_ext.datasets.export import Part

_SPLIT = "split"


def parts_of(
    dataset: Fragment,
    domains: Sequence[Fragment],
    images: int,
    scenes: Callable[[Mapping[str, str]], str],
) -> list[Part]:
    """The parts of a data set that make all of these domains whole.

    Every value that a domain selects by or groups by has ``images`` images of its own, with labels
    where they are published. Every split that no domain reads has one image without a label, which
    a reader that does not select would catch.
    """
    from mmseg_ext.datasets.export import Part

    finite = _finite(dataset)
    keys = sorted({key for domain in domains for key in _keys(domain)})
    labels: dict[tuple[tuple[str, str], ...], str] = {}
    for domain in domains:
        for split in ("train", "test"):
            where = domain.require(split)
            for chosen in [] if where is None else _combinations(where, keys, finite):
                known = labels.get(chosen, "none")
                labels[chosen] = _labels(domain, split) if known == "none" else known
    parts = [
        Part(dict(chosen), scenes(dict(chosen)), images, labelled)
        for chosen, labelled in labels.items()
    ]
    for chosen in _unread(labels, keys, finite):
        parts.append(Part(dict(chosen), scenes(dict(chosen)), 1, "none"))
    return parts


def _finite(dataset: Fragment) -> dict[str, tuple[str, ...]]:
    placeholders = dataset.values.get("placeholders", {})
    return {key: tuple(each) for key, each in placeholders.items() if not isinstance(each, str)}


def _keys(domain: Fragment) -> set[str]:
    found = {key for split in ("train", "test") for key in domain.require(split) or {}}
    group = domain.values.get("group")
    return found | ({group} if group else set())


def _combinations(
    where: Mapping[str, Any], keys: Sequence[str], finite: Mapping[str, tuple[str, ...]]
) -> list[tuple[tuple[str, str], ...]]:
    """Every way to choose one value for each key, of those that ``where`` allows."""
    choices = []
    for key in keys:
        allowed = where.get(key, finite.get(key, ()))
        if isinstance(allowed, str):
            known = tuple(each for each in finite.get(key, ()) if re.fullmatch(allowed, each))
            allowed = known or (allowed,)
        choices.append([(key, value) for value in allowed])
    return list(itertools.product(*(each for each in choices if each)))


def _labels(domain: Fragment, split: str) -> str:
    if split in domain.values.get("unlabelled_splits", ()):
        return "none"
    return "some" if domain.values.get("partly_labelled") else "all"


def _unread(
    read: Mapping[tuple[tuple[str, str], ...], str],
    keys: Sequence[str],
    finite: Mapping[str, tuple[str, ...]],
) -> list[tuple[tuple[str, str], ...]]:
    """One choice for each split that is never chosen."""
    if _SPLIT not in keys:
        return []
    seen = {value for chosen in read for key, value in chosen if key == _SPLIT}
    return [
        _combinations({_SPLIT: (split,)}, keys, finite)[0]
        for split in finite.get(_SPLIT, ())
        if split not in seen
    ]

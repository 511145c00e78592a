"""What the files of a downloaded data set are, wherever and however they are stored.

For every image that a cell reads: name and size. For every label file: size and the CRC-32 of its
content, which an archive's directory holds and which is computed once for an unpacked file and kept
in the cache folder until size or time stamp change. Folders and archives are not part of it, so a
data set may be moved, packed or unpacked. An image that changes without changing its size goes
unnoticed; reading all of them would take hours.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import paths, registry, training_data
from benchmark.data_roots import DataRoots
from benchmark.domains import FILES
from benchmark.errors import UsageError
from benchmark.records import write_atomically

if TYPE_CHECKING:
    from mmseg_ext.datasets.files import Listing
    from mmseg_ext.datasets.layouts import Match

FORMAT = 1
YOUNG_SECONDS = 2.0
"""A file changed so recently may change again within one tick of its time stamp."""
MANY = 500
"""Unread label files of which the user is told, because reading them takes a while."""

_SELECTION = ("layouts", "placeholders", "where", "excluded", "partly_labelled")

Announce = Callable[[str], None]


def _silent(message: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class DataFiles:
    """The downloaded data sets of this machine, each looked at once."""

    roots: DataRoots
    announce: Announce = _silent
    _listings: dict[Path, Listing] = field(default_factory=dict)
    _digests: dict[tuple[Path, str], str] = field(default_factory=dict)

    def of(self, config: Mapping[str, Any]) -> dict[str, str | None]:
        """A digest of the files of each downloaded domain that a configuration reads.

        ``None`` where they are not on this machine.
        """
        facts = config.get("domains", {})
        return {
            name: self._domain(each["dataset"], [r for r in _read(config) if r["domain"] == name])
            for name, each in facts.items()
            if each["reader"] == FILES
        }

    def _domain(self, dataset: str, selections: list[Mapping[str, Any]]) -> str | None:
        from mmseg_ext.errors import ExtensionError

        if not selections:
            return _short([])
        try:
            root = self.roots.of(registry.find("dataset", dataset))
            digests = [self._selected(root, selection) for selection in selections]
        except (UsageError, ExtensionError):
            return None  # what is missing, and how to get it, is told by `benchmark.missing_data`
        return _short(digests)

    def _selected(self, root: Path, selection: Mapping[str, Any]) -> str:
        """Digest of the files that one data set of a configuration reads."""
        from mmseg_ext.datasets.files import scan
        from mmseg_ext.datasets.layouts import Layout, find

        key = root, json.dumps([selection[name] for name in _SELECTION], sort_keys=True)
        if key not in self._digests:
            if root not in self._listings:
                self._listings[root] = scan(root)
            layouts = [Layout(**layout) for layout in selection["layouts"]]
            listing = self._listings[root]
            found = find(listing, layouts, selection["placeholders"], selection["where"])
            self._digests[key] = _digest(
                listing, found, frozenset(selection["excluded"]), self.announce
            )
        return self._digests[key]


def _read(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The data sets of a configuration: what is trained on first, then what is scored."""
    training = config["train_dataloader"]["dataset"]
    loaders = config["test_dataloader"].values()
    for each in (*training_data.datasets(training), *(loader["dataset"] for loader in loaders)):
        if "layouts" in each:
            yield each


def _digest(listing: Listing, found: Match, excluded: frozenset[str], announce: Announce) -> str:
    from mmseg_ext.datasets.files import status

    samples = [
        sample
        for sample in found.samples
        if (sample.label or found.layout.labels is None) and Path(sample.image).stem not in excluded
    ]
    labels = [sample.label for sample in samples if sample.label]
    labels += [found.segments] if found.segments else []
    contents = _contents(listing.root, labels, announce)
    entries = []
    for sample in samples:
        entry = [_name(sample.image), status(f"{listing.root}/{sample.image}").size]
        if sample.label:
            entry += contents[sample.label]  # layouts call the same label differently
        entries.append(entry)
    return _short([entries, contents[found.segments] if found.segments else None])


def _contents(root: Path, labels: Iterable[str], announce: Announce) -> dict[str, list[int]]:
    """Size and CRC-32 of label files, by path below ``root``."""
    from concurrent.futures import ThreadPoolExecutor

    from mmseg_ext.datasets.files import status

    stamps = {label: status(f"{root}/{label}") for label in labels}
    folders = {parent: (root / parent).is_dir() for parent in {_parent(each) for each in stamps}}
    # The stamp of an archive's member is its CRC-32 already.
    known = {
        label: [found.size, found.stamp]
        for label, found in stamps.items()
        if not folders[_parent(label)]
    }
    cache = _cache_file(root)
    stored = _stored(cache)
    unread = []
    for label, found in stamps.items():
        entry = stored.get(label)
        if label in known:
            continue
        if entry and entry[:2] == [found.size, found.stamp]:
            known[label] = [found.size, entry[2]]
        else:
            unread.append(label)
    if unread:
        if len(unread) >= MANY:
            announce(f"reading {len(unread)} label files of {root.name}, once")
        begun = time.time()
        with ThreadPoolExecutor(8) as pool:
            sums = list(pool.map(lambda label: _crc(root, label), unread))
        for label, crc in zip(unread, sums, strict=True):
            known[label] = [stamps[label].size, crc]
            if begun - stamps[label].stamp / 1e9 > YOUNG_SECONDS:
                stored[label] = [stamps[label].size, stamps[label].stamp, crc]
        _store(cache, stored)
    return known


def _crc(root: Path, label: str) -> int:
    from mmseg_ext.datasets.files import read_bytes

    return zlib.crc32(read_bytes(f"{root}/{label}", "label"))


def _cache_file(root: Path) -> Path:
    name = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    return paths.cache_root() / "label_digests" / f"{name}.json"


def _stored(cache: Path) -> dict[str, list[int]]:
    """Size, time stamp and CRC-32 of label files that were read before."""
    try:
        document = json.loads(cache.read_text(encoding="utf-8"))
        files: dict[str, list[int]] = document["files"] if document["format"] == FORMAT else {}
        return files
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _store(cache: Path, files: Mapping[str, list[int]]) -> None:
    with contextlib.suppress(OSError):  # a cache: the next plan reads the labels again
        write_atomically(cache, json.dumps({"format": FORMAT, "files": files}))


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _short(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]

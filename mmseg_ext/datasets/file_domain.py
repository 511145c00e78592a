"""A domain in the files its owner ships: no conversion, no moving, folders or zip archives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from mmseg.datasets import BaseSegDataset

from mmseg_ext.datasets.cached_reading import cached_pipeline
from mmseg_ext.datasets.classes import CLASSES, PALETTE
from mmseg_ext.datasets.files import Listing, scan
from mmseg_ext.datasets.layouts import Layout, find
from mmseg_ext.datasets.panoptic import segments_of
from mmseg_ext.datasets.patterns import Values
from mmseg_ext.errors import EmptyDomainError, UnreadableFileError
from mmseg_ext.registry import DATASETS

# A cell reads several splits and domains of one data set, and listing it can take seconds.
_scan = lru_cache(maxsize=8)(scan)


@DATASETS.register_module()
class FileDomainDataset(BaseSegDataset):
    """Images of one domain with or without their labels, in the order of the images' names.

    Args:
        domain: name of the domain.
        layouts: arguments of `mmseg_ext.datasets.layouts.Layout`, tried in order. Without label
            patterns in them no label path exists anywhere in the data set: this is how the target
            domain reaches training (the label firewall).
        placeholders: what each placeholder of the layouts may stand for.
        where: what selects this domain and split, such as ``dict(split='train')``.
        excluded: stems of image names that are left out, because the files are known to be bad.
        partly_labelled: leave out images without labels instead of refusing them.
        group: placeholder whose value tells groups of images apart (ACDC's condition), or ``None``.
        cache: folder of cache files (`mmseg_ext.datasets.cached_reading`), or ``None``. One that
            fits is read instead of the images' own files; samples are the same.
        data_root: folder of the data set.
        pipeline: transforms; must not read labels when the layouts have none.

    Raises:
        EmptyDomainError: nothing fits a layout, or an image has no label.
        UnreadableFileError: the folder, an archive in it or a file that lists files cannot be read.
    """

    METAINFO: ClassVar[dict[str, Any]] = {"classes": CLASSES, "palette": [list(c) for c in PALETTE]}

    def __init__(
        self,
        domain: str,
        layouts: Sequence[Mapping[str, Any]],
        data_root: str,
        pipeline: list[dict[str, Any]],
        placeholders: Mapping[str, Values] | None = None,
        where: Mapping[str, Values] | None = None,
        excluded: Sequence[str] = (),
        partly_labelled: bool = False,
        group: str | None = None,
        cache: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.domain = domain
        self._root = Path(data_root)
        self._layouts = [Layout(**layout) for layout in layouts]
        self._placeholders = dict(placeholders or {})
        self._where = dict(where or {})
        self._excluded = frozenset(excluded)
        self._partly_labelled = partly_labelled
        self._group = group
        # MMEngine's serialised storage collects garbage once a data set, half a second each.
        super().__init__(pipeline=pipeline, serialize_data=False, **kwargs)
        self._cached = None if cache is None else cached_pipeline(self, Path(cache))

    def prepare_data(self, idx: int) -> Any:
        """The sample at a position, through the pipeline or through what stands for it."""
        if self._cached is None:
            return super().prepare_data(idx)
        return self._cached(self.get_data_info(idx))

    def load_data_list(self) -> list[dict[str, Any]]:
        """One entry an image: ``img_path``, ``domain``, ``group`` and, only with labels,
        ``seg_map_path`` and, for panoptic labels, ``segments``."""
        listing = _scan(self._root)
        if listing.damaged:
            # What lies in them would be missing without a word.
            raise UnreadableFileError("; ".join(listing.problems))
        found = find(listing, self._layouts, self._placeholders, self._where)
        unlabelled = [path for path in found.unlabelled if Path(path).stem not in self._excluded]
        if unlabelled and not self._partly_labelled:
            raise EmptyDomainError(
                f"{self._root}: {len(unlabelled)} of {len(found.samples)} images of domain "
                f"{self.domain} have no label, such as {unlabelled[0]}; the archive of the "
                "labels is not unpacked whole"
            )
        self._layout = found.layout.name
        segments = segments_of(listing, found) if found.layout.segments else {}
        entries = [
            self._entry(listing, sample.image, sample.label, sample.values, segments)
            for sample in found.samples
            if (sample.label or found.layout.labels is None)
            and Path(sample.image).stem not in self._excluded
        ]
        if not entries:
            raise EmptyDomainError(f"{self._root}: every image of {self.domain} is excluded")
        return entries

    def _entry(
        self,
        listing: Listing,
        image: str,
        label: str | None,
        values: Mapping[str, str],
        segments: Mapping[str, Mapping[int, int]],
    ) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "img_path": f"{listing.root}/{image}",
            "domain": self.domain,
            "group": values.get(self._group) if self._group else None,
            "reduce_zero_label": False,
            "seg_fields": [],
        }
        if label is not None:
            entry["seg_map_path"] = f"{listing.root}/{label}"
            if segments:
                entry["segments"] = segments.get(label.rpartition("/")[2])
        return entry

    @property
    def groups(self) -> list[str | None]:
        """The group of every image, in the order of the data set."""
        return [entry["group"] for entry in self.data_list]

    def describe(self) -> dict[str, Any]:
        """What was found, for the record: layout and number of images."""
        return {"layout": self._layout, "images": len(self)}

"""The transform that reads labels as their owners publish them: no conversion step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from mmseg_ext.datasets.classes import CLASSES, IGNORE_LABEL
from mmseg_ext.datasets.decoders import DECODERS, Context
from mmseg_ext.datasets.files import read_bytes
from mmseg_ext.errors import InvalidLabelError
from mmseg_ext.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ReadMappedLabel(BaseTransform):
    """Reads ``results['seg_map_path']`` into ``results['gt_seg_map']``: uint8, HxW train ids.

    The data set's own ids are looked up in one table of 256 entries: those of ``label_map``, and
    255 for every other id of ``values``. An id outside of ``values`` is an error: such a file was
    converted before, or is a picture of the labels.

    Args:
        decoder: one of `mmseg_ext.datasets.decoders.DECODERS`.
        label_map: train id of the ids that have one.
        values: every id that may occur in the files.
        fit: ``exact``: a label has the size of its image; ``resize``: one of another size is
            resized to it (nearest), as a few of GTA5's and all of Synscapes' have to be.
        names: id of each label name, for polygons.

    Raises:
        UnreadableFileError: the file is missing, empty, truncated or of another format.
        InvalidLabelError: channels, depth, ids or size are not those declared.
        ValueError: the arguments do not fit together.
    """

    def __init__(
        self,
        decoder: str,
        label_map: Mapping[Any, int],
        values: Sequence[int],
        fit: str = "exact",
        names: Mapping[str, int] | None = None,
    ) -> None:
        if decoder not in DECODERS:
            raise ValueError(f"decoder {decoder!r}, expected one of {', '.join(DECODERS)}")
        if fit not in ("exact", "resize"):
            raise ValueError(f"fit is {fit!r}, expected 'exact' or 'resize'")
        self._decode = DECODERS[decoder]
        self._names = dict(names or {})
        self._fit = fit
        self.table, self._known = table(label_map, values)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        label = self.read(results["seg_map_path"], results.get("segments"))
        if "ori_shape" in results:
            label = self._fitted(label, results["ori_shape"], results["seg_map_path"])
        results["gt_seg_map"] = label
        results.setdefault("seg_fields", []).append("gt_seg_map")
        return results

    def read(self, path: str, segments: Mapping[int, int] | None = None) -> NDArray[np.uint8]:
        """Train ids of a label file at its own size."""
        raw = self._decode(read_bytes(path, "label map"), Context(path, segments, self._names))
        # 16-bit ids beyond the table are unknown too; clipping keeps the look-up within it.
        known = self._known[np.minimum(raw, 256)] if raw.dtype != np.uint8 else self._known[raw]
        if not known.all():
            unknown = np.unique(raw[~known]).tolist()
            raise InvalidLabelError(
                f"{path}: values {_shown(unknown)} do not occur in this data set's labels; the "
                "file was converted before, or it is another kind of label file"
            )
        return self.table[raw]

    def _fitted(
        self, label: NDArray[np.uint8], size: tuple[int, int], path: str
    ) -> NDArray[np.uint8]:
        if label.shape == tuple(size):
            return label
        if self._fit == "exact" or label.shape == tuple(size)[::-1]:
            raise InvalidLabelError(
                f"{path}: size {label.shape} differs from its image's {tuple(size)}"
            )
        height, width = size
        return np.asarray(cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST))


def table(
    label_map: Mapping[Any, int], values: Sequence[int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The table of 256 train ids, and which ids may occur (257: the last stands for all above).

    Raises:
        ValueError: an id is not an 8-bit number, a train id is none, or a mapped id is not in
            ``values``.
    """
    train_ids = np.full(256, IGNORE_LABEL, np.uint8)
    known = np.zeros(257, bool)
    for value in values:
        if not 0 <= int(value) <= 255:
            raise ValueError(f"values: {value!r} is no 8-bit id")
        known[int(value)] = True
    for key, train_id in label_map.items():
        if not 0 <= int(key) <= 255 or not known[int(key)]:
            raise ValueError(f"label_map: id {key!r} is not among the values that may occur")
        if train_id not in (*range(len(CLASSES)), IGNORE_LABEL):
            raise ValueError(f"label_map: {key!r} -> {train_id!r} is no train id")
        train_ids[int(key)] = train_id
    return train_ids, known


def _shown(values: list[int]) -> str:
    return f"{values}" if len(values) <= 8 else f"{values[:8]} and {len(values) - 8} more"

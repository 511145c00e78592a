"""The transform that reads labels as their owners publish them: no conversion step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from mmseg_ext.datasets.decoders import DECODERS, Context
from mmseg_ext.datasets.files import read_bytes
from mmseg_ext.datasets.label_table import table, train_ids_of
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
        self._names = dict(sorted((names or {}).items()))  # in one order, for digests
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
        return train_ids_of(raw, self.table, self._known, path)

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

"""A domain's labelled images, each under several corruptions at several severities.

Nothing is written to disk: an image is corrupted when it is read. Import this module to register
its components; a domain's fragment names it in ``custom_imports``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import imagecorruptions  # noqa: F401  (missing, it is told before training, not at the scoring)
from mmcv.transforms import BaseTransform

from mmseg_ext.datasets.corruption import corrupted
from mmseg_ext.datasets.domain import DomainDataset
from mmseg_ext.datasets.file_domain import FileDomainDataset
from mmseg_ext.registry import DATASETS, TRANSFORMS

Entry = dict[str, Any]


def corrupted_entries(
    entries: Sequence[Entry], corruptions: Sequence[str], severities: Sequence[int], every: int
) -> list[Entry]:
    """An entry a corruption, severity and image, in this order, of every ``every``-th image.

    The corruption is the entry's ``group``, the severity its ``level``.
    """
    return [
        {**entry, "group": corruption, "level": severity, "seg_fields": []}
        for corruption in corruptions
        for severity in severities
        for entry in entries[::every]
    ]


class _Corrupted:
    """What the data sets below share: their entries multiplied, and which is which of them.

    Args:
        corruptions: names of `mmseg_ext.datasets.corruption.CORRUPTIONS`.
        severities: of each of them, 1 to 5.
        every: of how many images, in the order of their names, the first one is taken.
    """

    data_list: list[Entry]

    def __init__(
        self,
        *,
        corruptions: Sequence[str],
        severities: Sequence[int],
        every: int = 1,
        **kwargs: Any,
    ) -> None:
        self._choice = (tuple(corruptions), tuple(severities), every)
        super().__init__(**kwargs)

    def load_data_list(self) -> list[Entry]:
        """As the plain data set's, times corruptions and severities; see `corrupted_entries`."""
        return corrupted_entries(super().load_data_list(), *self._choice)  # type: ignore[misc]

    @property
    def groups(self) -> list[str | None]:
        """The corruption of every image, in the order of the data set."""
        return [entry["group"] for entry in self.data_list]

    @property
    def levels(self) -> list[int]:
        """The severity of every image, in the order of the data set."""
        return [entry["level"] for entry in self.data_list]


@DATASETS.register_module()
class CorruptedDomainDataset(_Corrupted, DomainDataset):
    """A `DomainDataset` of corrupted images; its pipeline has `CorruptImage` in it."""


@DATASETS.register_module()
class CorruptedFileDomainDataset(_Corrupted, FileDomainDataset):
    """A `FileDomainDataset` of corrupted images; its pipeline has `CorruptImage` in it."""


@TRANSFORMS.register_module()
class CorruptImage(BaseTransform):
    """Corrupts ``results['img']``, as it was read, as ``group`` and ``level`` of its entry say.

    Raises:
        ValueError: there is no such corruption or severity, or the image is too small.
    """

    def transform(self, results: Mapping[str, Any]) -> dict[str, Any]:
        name = Path(results["img_path"]).stem
        image = corrupted(results["img"], results["group"], results["level"], name)
        return {**results, "img": image}

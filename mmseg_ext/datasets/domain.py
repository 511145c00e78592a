"""A domain on disk: a folder of images and, where training or scoring may see them, of labels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from mmseg.datasets import BaseSegDataset

from mmseg_ext.datasets.classes import CLASSES, PALETTE
from mmseg_ext.errors import EmptyDomainError
from mmseg_ext.registry import DATASETS


@DATASETS.register_module()
class DomainDataset(BaseSegDataset):
    """Images of one domain in file-name order, with or without their label maps.

    Args:
        domain: name of the domain, carried by every sample as the meta key ``domain``.
        images: folder of images below ``data_root``.
        labels: folder of label maps below ``data_root`` with the images' file stems and the
            ending ``.png``, or ``None``. With ``None`` no label path exists anywhere in the data
            set: this is how the target domain reaches training (the label firewall).
        data_root: folder that holds both.
        pipeline: transforms; must not read labels when ``labels`` is ``None``.

    Raises:
        EmptyDomainError: no image is found, or an image has no label map.
    """

    METAINFO: ClassVar[dict[str, Any]] = {"classes": CLASSES, "palette": [list(c) for c in PALETTE]}

    def __init__(
        self,
        domain: str,
        images: str,
        labels: str | None,
        data_root: str,
        pipeline: list[dict[str, Any]],
        **kwargs: Any,
    ) -> None:
        self.domain = domain
        self._images = Path(data_root) / images
        self._labels = None if labels is None else Path(data_root) / labels
        # MMEngine's serialised storage collects garbage once a data set, half a second each.
        super().__init__(pipeline=pipeline, serialize_data=False, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """One entry an image: ``img_path``, ``domain`` and, only with labels, ``seg_map_path``."""
        names = sorted(os.listdir(self._images)) if self._images.is_dir() else []
        names = [name for name in names if name.endswith((".png", ".jpg"))]
        if not names:
            raise EmptyDomainError(
                f"{self._images}: no images of domain {self.domain}; prepare the data first"
            )
        labels = set(os.listdir(self._labels)) if self._labels and self._labels.is_dir() else set()
        entries = []
        for name in names:
            entry = {
                "img_path": str(self._images / name),
                "domain": self.domain,
                "reduce_zero_label": False,
            }
            if self._labels is not None:
                label = f"{Path(name).stem}.png"
                if label not in labels:
                    raise EmptyDomainError(
                        f"{self._labels / label}: missing, although its image {name} exists"
                    )
                entry["seg_map_path"] = str(self._labels / label)
            entries.append({**entry, "seg_fields": []})
        return entries

"""MiniDrive scenes in the layouts and encodings of published data sets.

With them every reader is tested from end to end, and a benchmark can be rehearsed, without the
data sets themselves.
"""

from __future__ import annotations

from mmseg_ext.datasets.export.companions import Companion
from mmseg_ext.datasets.export.data_set import Written, is_marker, marker, write_data_set
from mmseg_ext.datasets.export.description import Description, NameRule, Part
from mmseg_ext.datasets.export.legend import Legend
from mmseg_ext.datasets.export.naming import hex8_hex8, key22
from mmseg_ext.datasets.export.raw_ids import RawIds
from mmseg_ext.datasets.export.scenes import Address, Size, rendered
from mmseg_ext.datasets.export.store import ArchiveRule, Store

__all__ = [
    "Address",
    "ArchiveRule",
    "Companion",
    "Description",
    "Legend",
    "NameRule",
    "Part",
    "RawIds",
    "Size",
    "Store",
    "Written",
    "hex8_hex8",
    "is_marker",
    "key22",
    "marker",
    "rendered",
    "write_data_set",
]

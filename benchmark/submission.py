"""How servers of data sets want predictions: names, ids and folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from benchmark.errors import ExportError

LABEL_IDS, TRAIN_IDS = "Cityscapes label ids (0-33)", "train ids (0-18)"


@dataclass(frozen=True)
class SubmissionLayout:
    """One way to hand in predictions.

    Attributes:
        folder: where the files are, below the folder that is exported to.
        archived: where they are in the archive.
        ids: ``LABEL_IDS`` or ``TRAIN_IDS``.
        name: of the prediction, from the name of its image; ``None`` where that does not fit.
        example: an image name that fits.
    """

    folder: str
    archived: str
    ids: str
    name: Callable[[str], str | None]
    example: str = "any.png"


def _of_cityscapes(image: str) -> str | None:
    found = re.fullmatch(r"([^_]+_\d{6}_\d{6})_leftImg8bit\.png", image)
    return f"{found[1]}_labelIds.png" if found else None


def _of_acdc(image: str) -> str | None:
    return image if re.fullmatch(r".+_frame_\d+_rgb(_ref)?_anon\.png", image) else None


def _plain(image: str) -> str:
    return f"{PurePosixPath(image).stem}.png"


LAYOUTS = {
    # Flat; the server looks for <city>_<sequence>_<frame>*.png and wants label ids
    # (mcordts/cityscapesScripts, evaluation/evalPixelLevelSemanticLabeling.py).
    "cityscapes": SubmissionLayout(
        "labelIds", "", LABEL_IDS, _of_cityscapes, "berlin_000000_000019_leftImg8bit.png"
    ),
    # A folder labelTrainIds with train ids under the images' names, as BIT-DA/VBLC hands them in
    # (its README, "VBLC Evaluation"); brdav/refign writes the same files.
    "acdc": SubmissionLayout(
        "labelTrainIds", "labelTrainIds", TRAIN_IDS, _of_acdc, "GOPR0475_frame_000247_rgb_anon.png"
    ),
    "plain": SubmissionLayout("labelIds", "", LABEL_IDS, _plain),
}


def default_layout(dataset: str | None) -> str:
    """The layout of a data set's own server, ``plain`` where none is known."""
    own = {"cityscapes": "cityscapes", "acdc": "acdc", "acdc-reference": "acdc"}
    return own.get(dataset or "", "plain")


def file_names(layout: str, images: Sequence[str], groups: Sequence[str | None] = ()) -> list[str]:
    """The name of each image's prediction, in order; ``images`` are paths.

    In the layout ``plain`` images of equal names are told apart by their ``groups``, if they have
    any: MiniDrive's weathers number the same streets.

    Raises:
        ExportError: an image has no name that fits the layout, or two get the same one.
    """
    chosen = LAYOUTS[layout]
    shown = [path.rpartition("/")[2] for path in images]
    if layout == "plain" and len(groups) == len(shown) and len({*shown}) < len(shown):
        shown = [f"{group}-{image}" for group, image in zip(groups, shown, strict=True)]
    found: dict[str, str] = {}
    for path, image in zip(images, shown, strict=True):
        name = chosen.name(image)
        if name is None:
            raise ExportError(
                f"layout {layout}: expected image names such as {chosen.example}, found {image}; "
                "choose another --layout"
            )
        if name in found:
            raise ExportError(
                f"layout {layout} is flat, and the predictions of {found[name]} and {path} would "
                f"both be called {name}"
            )
        found[name] = path
    return list(found)

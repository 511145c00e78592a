"""A tower: an image network of a library, with what its weights ask of their input."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from mmseg_ext.encoders.weight_file import LoadedWeights, State, load_whole
from mmseg_ext.errors import WeightsError


@dataclass(frozen=True)
class ImageStatistics:
    """Mean and standard deviation (RGB, 0-255) with which images must be normalised."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of_unit_range(cls, mean: Any, std: Any) -> ImageStatistics:
        """From statistics of images in 0-1, as libraries keep them."""
        red, green, blue = (255.0 * float(value) for value in mean)
        spread = tuple(255.0 * float(value) for value in std)
        return cls((red, green, blue), (spread[0], spread[1], spread[2]))


IMAGENET = ImageStatistics((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@dataclass(frozen=True)
class Tower:
    """A complete network, built but not loaded.

    ``name`` is what it is called in its library, with the tag of its weights if there is one.
    ``convert`` arranges the tensors of a weight file (see `load_whole`). ``download`` fetches the
    tag's weights from their hub; ``None`` where there is no tag.
    """

    name: str
    network: Any
    statistics: ImageStatistics
    convert: Callable[[State], tuple[State, str]]
    download: Callable[[], Path] | None = None

    def load(self, checkpoint: str | None) -> LoadedWeights | None:
        """Load ``checkpoint``, else the tag's weights from their hub, else keep random ones.

        Raises:
            WeightsError: the file is refused, or the hub cannot be reached.
        """
        if checkpoint is not None:
            return load_whole(self.network, Path(checkpoint).expanduser(), self.convert)
        if self.download is None:
            return None
        try:
            path = self.download()
        except WeightsError:
            raise
        except Exception as error:  # each library and each way of being offline has its own
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise WeightsError(
                f"the weights of {self.name} cannot be fetched from their hub ({reason}); download "
                "them where there is a network and give the file as checkpoint, or set "
                "pretrained=None for random weights"
            ) from error
        return load_whole(self.network, path, self.convert)


def fetched(address: str) -> Path:
    """Download a file into torch's folder of checkpoints, unless it is there, and return its path.

    The download goes to a temporary name first; what is there is whole.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / Path(address).name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(address, str(path), progress=False)
    return path


def description(name: str, loaded: LoadedWeights | None) -> dict[str, Any]:
    """Name and weights of an encoder for a record, as JSON can hold them."""
    weights = None if loaded is None else {**asdict(loaded), "dtypes": list(loaded.dtypes)}
    return {"tower": name, "weights": weights}


def common_statistics(
    name: str, configurations: Mapping[str, tuple[Any, Any]], *, needed: bool
) -> ImageStatistics:
    """The statistics that all of a model's weights share.

    Args:
        name: of the model, for the message.
        configurations: (mean, std) in 0-1 by tag, the library's default first.
        needed: whether weights of unknown tag will be loaded, so that a wrong guess would matter.

    Raises:
        WeightsError: ``needed``, and the tags differ.
    """
    found = {tag: ImageStatistics.of_unit_range(*pair) for tag, pair in configurations.items()}
    first = next(iter(found.values()))
    same = all(
        math.isclose(a, b, abs_tol=1e-3)
        for each in found.values()
        for a, b in zip((*first.mean, *first.std), (*each.mean, *each.std), strict=True)
    )
    if needed and not same:
        raise WeightsError(
            f"the weights of {name} were trained with different image statistics; say which of "
            f"them the file holds: pretrained='{next(iter(found))}', or another of "
            f"{', '.join(sorted(found))}"
        )
    return first

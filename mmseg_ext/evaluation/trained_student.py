"""A trained student from the weights that a run kept; initial weights are not needed any more."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import DefaultScope
from torch import Tensor

from mmseg_ext.encoders import tower
from mmseg_ext.errors import WeightsError
from mmseg_ext.evaluation.label_maps import Student
from mmseg_ext.registry import MODELS


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state of a student on the CPU, in the order in which it was saved; no code is executed.

    Raises:
        WeightsError: the file is missing, damaged or holds anything but named tensors.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: there is no such file") from error
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{path}: not a whole file of weights ({reason})") from error
    if not isinstance(state, dict) or not all(isinstance(each, Tensor) for each in state.values()):
        raise WeightsError(f"{path}: holds {type(state).__name__}, expected tensors by name")
    return state


def trained_student(
    model: Mapping[str, Any],
    statistics: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    device: str | None = None,
    threads: int | None = None,
) -> Student:
    """Build the student of a method's configuration with trained weights, ready to predict.

    Args:
        model: configuration of the method, of which nothing but the student is built.
        statistics: ``mean`` and ``std`` of the normalisation in training.
        weights: state of the whole student.
        device: ``cpu`` or ``cuda``; by default ``cuda`` if there is one.
        threads: arithmetic threads; rounding depends on them.

    Raises:
        WeightsError: the weights are those of another network.
    """
    if threads:
        torch.set_num_threads(threads)
    with (
        DefaultScope.overwrite_default_scope("mmseg_ext"),
        _without_initial_weights(),
        warnings.catch_warnings(),
    ):
        # On MMSegmentation's own losses, of which a prediction makes no use.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"mmseg\.")
        segmentor = MODELS.build(model["segmentor"])
        preprocessor = MODELS.build({**model["data_preprocessor"], **statistics})
    try:
        segmentor.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise WeightsError(f"the weights do not fit the network of the cell ({error})") from error
    layout = torch.channels_last if model.get("channels_last") else torch.contiguous_format
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    segmentor = segmentor.to(memory_format=layout).to(place).eval()
    return Student(segmentor, preprocessor.to(place), layout)


@contextmanager
def _without_initial_weights() -> Iterator[None]:
    """Encoders that are built within load no file: trained weights replace all of theirs.

    Their configuration must keep the tag of the initial weights: it tells which activation and
    which image statistics a tower has.
    """
    load = tower.Tower.load
    setattr(tower.Tower, "load", lambda _self, _checkpoint: None)  # noqa: B010 (a type's method)
    try:
        yield
    finally:
        setattr(tower.Tower, "load", load)  # noqa: B010

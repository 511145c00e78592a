"""Complete models of open_clip, text tower included, with weights that are loaded whole or not."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip

from mmseg_ext.encoders.tower import ImageStatistics
from mmseg_ext.encoders.weight_file import LoadedWeights, State, load_whole
from mmseg_ext.errors import EncoderError, WeightsError

# What OpenAI's files hold beside tensors of the network.
_FACTS = ("input_resolution", "context_length", "vocab_size")


@dataclass(frozen=True)
class WholeClip:
    """A model with its tokenizer, what was loaded, and the image statistics of the weights."""

    model: Any
    tokenize: Any
    loaded: LoadedWeights
    statistics: ImageStatistics


def whole_clip(model: str, tag: str, file: Path | None) -> WholeClip:
    """Build an open_clip model and load its weights.

    Args:
        model: name of an open_clip model, such as ``EVA02-L-14``.
        tag: of its weights, such as ``merged2b_s4b_b131k``.
        file: open_clip's complete checkpoint; ``None`` lets open_clip download it.

    Raises:
        EncoderError: open_clip has no such model, or it cannot be built here.
        WeightsError: the file has no text tower, or does not fit as a whole.
    """
    if model not in open_clip.list_models():
        raise EncoderError(
            f"open_clip has no model {model!r}; `open_clip.list_models()` lists what there is"
        )
    known: dict[str, Any] = dict(open_clip.get_pretrained_cfg(model, tag) or {})
    quick = tag == "openai" or bool(known.get("quick_gelu"))
    try:
        # The activation belongs to the weights: open_clip itself only warns where a name disagrees.
        with _quiet():
            clip = open_clip.create_model(model, pretrained_hf=False, force_quick_gelu=quick)
        tokenize = open_clip.get_tokenizer(model)
        if file is None:
            file = Path(open_clip.download_pretrained(known))
    except Exception as error:  # of a library that asks hubs for configurations and words
        raise EncoderError(
            f"open_clip cannot build {model!r} with its text tower here "
            f"({type(error).__name__}: {error})"
        ) from error
    loaded = load_whole(clip, file, lambda state: (_arranged(state, clip, file), "open_clip"))
    statistics = ImageStatistics.of_unit_range(
        known.get("mean", open_clip.OPENAI_DATASET_MEAN),
        known.get("std", open_clip.OPENAI_DATASET_STD),
    )
    return WholeClip(clip, tokenize, loaded, statistics)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without open_clip's warning that the model is random: its weights are loaded right after."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _arranged(state: State, clip: Any, file: Path) -> State:
    """The tensors of a checkpoint under the names of ``clip``."""
    if not any("token_embedding" in key or key.startswith("text.") for key in state):
        raise WeightsError(
            f"{file}: there is no text tower in it, so class names have no features; expected "
            "open_clip's complete checkpoint, image and text tower in one file"
        )
    found = {key: value for key, value in state.items() if key not in _FACTS}
    if hasattr(clip, "text") and "text_projection" in found:
        found = dict(open_clip.model.convert_to_custom_text_state_dict(found))
    return found

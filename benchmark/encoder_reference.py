"""Encoders without a file: any tower of open_clip or timm, named where an encoder is named.

``open_clip:ViT-B-32/laion2b_s34b_b79k`` and ``timm:vit_small_patch14_dinov2.lvd142m`` say library,
model and tag of the weights; the tag ``random`` means no weights. In file names and tables the
same encoder is called ``open_clip.ViT-B-32.laion2b_s34b_b79k``, which is accepted as well.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError

RANDOM = "random"
CHANNELS = 256
_TYPES = {"open_clip": "OpenClipEncoder", "timm": "TimmEncoder"}
_FORM = re.compile(r"(open_clip|timm)[:.]([A-Za-z0-9_-]+)[/.]([A-Za-z0-9_]+)")
_EXAMPLES = "open_clip:ViT-B-32/laion2b_s34b_b79k or timm:vit_small_patch14_dinov2.lvd142m"


@dataclass(frozen=True)
class EncoderReference:
    """A tower by its library, its model and the tag of its weights."""

    library: str
    model: str
    tag: str

    @property
    def name(self) -> str:
        """The name in file names and tables."""
        return f"{self.library}.{self.model}.{self.tag}"

    @property
    def origin(self) -> str:
        """The reference as its library's users write it."""
        separator = "/" if self.library == "open_clip" else "."
        return f"{self.library}:{self.model}{separator}{self.tag}"

    def values(self) -> dict[str, Any]:
        """What a fragment of this encoder would define.

        The learning rates are those of the vision-language encoders' own fragments: nobody tuned
        them for this tower.
        """
        weights = "random weights" if self.tag == RANDOM else f"weights {self.tag}"
        return {
            "card": {
                "title": f"{self.model} ({self.tag})",
                "summary": f"{self.library}'s {self.model}, {weights}; settings nobody tuned.",
            },
            "backbone": {
                "type": _TYPES[self.library],
                "model": self.model,
                "pretrained": None if self.tag == RANDOM else self.tag,
                "out_channels": CHANNELS,
            },
            "channels": (CHANNELS,) * 4,
            "learning_rate": {"encoder": 1e-5, "decoder": 1e-4},
            "decay_free": ("norm", "position", "token", "scale"),
        }


def parse(text: str) -> EncoderReference | None:
    """The reference that ``text`` is, or None if it is a plain name.

    Raises:
        UsageError: it begins like a reference and is none, or open_clip has no such model.
    """
    if not text.startswith(tuple(f"{library}{mark}" for library in _TYPES for mark in ":.")):
        return None
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{text!r} does not name a tower with the tag of its weights; expected the form of "
            f"{_EXAMPLES}, with the tag {RANDOM!r} for none"
        )
    found = EncoderReference(match[1], match[2], match[3])
    _check_open_clip(found)
    return found


def _check_open_clip(reference: EncoderReference) -> None:
    """open_clip keeps a file for each model: looking for it does not need torch."""
    if reference.library != "open_clip":
        return
    spec = importlib.util.find_spec("open_clip")
    folder = Path(spec.origin).parent / "model_configs" if spec and spec.origin else None
    if folder is None or not folder.is_dir() or (folder / f"{reference.model}.json").is_file():
        return
    import difflib

    models = [path.stem for path in folder.glob("*.json")]
    close = difflib.get_close_matches(reference.model, models, n=1, cutoff=0.0)
    raise UsageError(f"open_clip has no model {reference.model!r}; closest: {close[0]!r}")

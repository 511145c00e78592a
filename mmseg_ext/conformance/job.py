"""What the kit is asked to check. Imports nothing heavy: the process that reads it only waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Job:
    """A method with an encoder, one of which is checked.

    Attributes:
        kind, name: of what is checked.
        card: its card.
        imports: modules that register its classes, behind those of ``mmseg_ext``.
        model, optim_wrapper, param_scheduler: configurations as the runner's, encoders with random
            weights.
        size: height and width of the images.
        batch: images of each domain in a step.
        target: whether the method is given target images.
        folder: of scratch files; the checks of one job share it.
    """

    kind: Literal["method", "encoder"]
    name: str
    card: Mapping[str, Any]
    imports: Sequence[str]
    model: Mapping[str, Any]
    optim_wrapper: Mapping[str, Any]
    param_scheduler: Any
    size: tuple[int, int]
    batch: int
    target: bool
    folder: str = ""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Job:
        """The job of a JSON document. Raises ``TypeError`` for an unknown or missing key."""
        return cls(**{**document, "size": tuple(document["size"])})

    def inside(self, folder: Path) -> Job:
        """The same job with its scratch files in ``folder``."""
        return replace(self, folder=str(folder))

"""What a check says in the end, and how it says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "failed", "does not apply"]


class Failed(Exception):  # noqa: N818  (a verdict, no accident)
    """A rule is broken: ``reason`` says what was found, ``remedy`` what to do about it."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason, remedy)
        self.reason, self.remedy = reason, remedy

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}" if self.remedy else self.reason


class DoesNotApply(Exception):  # noqa: N818
    """There is nothing to check; the message says why."""


@dataclass(frozen=True)
class Verdict:
    """The end of one check: ``detail`` is one line, ``seconds`` what it took."""

    check: str
    state: State
    detail: str
    seconds: float

"""The card: what lists, tables and readers are told about a method or an encoder."""

from __future__ import annotations

from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.naming import some
from mmseg_ext.conformance.verdict import Failed

_ROLES = ("baseline", "control", "uda", "oracle")
_TEXTS = {"method": ("title", "summary"), "encoder": ("title", "summary", "family", "pretraining")}
_LONGEST_TITLE = 40
"""Characters; titles head rows and columns of tables."""


def card(job: Job) -> str:
    """All that is told of every method or encoder is there, and of the right type."""
    wrong = [key for key in _TEXTS[job.kind] if not _is_text(job.card.get(key))]
    if wrong:
        raise Failed(f"the card lacks {some(wrong)}", "give each as a text in the fragment")
    if len(job.card["title"]) > _LONGEST_TITLE or "\n" in job.card["title"]:
        raise Failed(f"the title is longer than {_LONGEST_TITLE} characters or than a line")
    if job.kind == "method":
        _check_method(job)
    return f"{job.card['title']}: {len(job.card)} entries"


def _check_method(job: Job) -> None:
    role = job.card.get("role")
    if role not in _ROLES:
        raise Failed(f"the card's role is {role!r}", f"say one of {', '.join(_ROLES)}")
    for key in ("target_images", "target_labels"):
        if not isinstance(job.card.get(key), bool):
            raise Failed(
                f"the card's {key} is {job.card.get(key)!r}", "say True or False; training obeys it"
            )
    if job.card["target_labels"] and role != "oracle":
        raise Failed(f"a {role} with target_labels=True", "only an oracle may see target labels")
    if role == "uda":
        if not _is_text(job.card.get("paper")):
            raise Failed("the card of a UDA method lacks paper", "cite it, or say 'unpublished'")
        if not job.card["target_images"]:
            raise Failed("a UDA method with target_images=False", "it would get no target images")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())

"""Which optimizer trains which parameter, and how fast."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from mmseg_ext.conformance import build as building
from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.naming import some
from mmseg_ext.conformance.verdict import Failed
from mmseg_ext.engine.part_optimizers import STUDENT, by_part

_RATIO = 0.125  # exact, and no encoder of ours asks for it
_REMEDY = (
    "train what is called `tower` in the backbone, or the whole backbone, as the encoder, and "
    "share no parameter with the decoder"
)


def parameter_groups(job: Job) -> str:
    """Each trainable parameter is in one group; the encoder's rate is its tower's alone."""
    built = building.build(_with_ratio(job))
    method: Any = built.method
    rates: dict[int, list[float]] = {}
    for wrapper in by_part(built.optimizers).values():
        for group in wrapper.optimizer.param_groups:
            for parameter in group["params"]:
                rates.setdefault(id(parameter), []).append(group["lr"])
    _check_owners(method, rates)
    backbone = method.student.backbone
    tower = {id(each) for each in getattr(backbone, "tower", backbone).parameters()}
    if not tower:
        raise Failed(
            f"what is called tower of {type(backbone).__name__} has no parameters", _REMEDY
        )
    decoder = _settings(job)["optimizer"]["lr"]
    fastest = _RATIO * decoder
    wrong, inside, outside = [], 0, 0
    for name, parameter in method.student.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = rates[id(parameter)][0]
        if id(parameter) in tower:
            inside += 1
            right = 0 < rate <= fastest * (1 + 1e-9)
        else:
            outside += 1
            right = rate == decoder
        if not right:
            wrong.append(f"{name} ({rate / decoder:g} of the decoder's rate)")
    if wrong:
        raise Failed(f"with an encoder's rate of {_RATIO} these are wrong: {some(wrong)}", _REMEDY)
    return f"{inside} parameters at the encoder's rate, {outside} at the decoder's, each once"


def _settings(job: Job) -> dict[str, Any]:
    """The student's optimizer as configured."""
    settings: dict[str, Any] = dict(job.optim_wrapper.get(STUDENT, job.optim_wrapper))
    return settings


def _with_ratio(job: Job) -> Job:
    """The job with a rate of the encoder that nothing else has."""
    wrapper = copy.deepcopy(dict(job.optim_wrapper))
    student = wrapper.get(STUDENT, wrapper)
    student["paramwise_cfg"] = {**student.get("paramwise_cfg", {}), "encoder_lr_mult": _RATIO}
    return dataclasses.replace(job, optim_wrapper=wrapper)


def _check_owners(method: Any, rates: dict[int, list[float]]) -> None:
    """Raise for a trainable parameter in no group or in several, and for a frozen one in any."""
    for name, parameter in method.named_parameters():
        groups = len(rates.get(id(parameter), []))
        if groups != int(parameter.requires_grad):
            kind = "trainable" if parameter.requires_grad else "frozen"
            raise Failed(
                f"{kind} parameter {name} is in {groups} groups of optimizers",
                "freeze it before the optimizer is built, or name its part in `optimizers`",
            )

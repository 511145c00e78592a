"""Whom the loss trains: the student and declared parts, never a teacher or what is frozen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from mmseg_ext.conformance import build as building
from mmseg_ext.conformance.job import Job
from mmseg_ext.conformance.naming import some
from mmseg_ext.conformance.verdict import Failed
from mmseg_ext.engine.part_optimizers import STUDENT, by_part
from mmseg_ext.parts.teacher import MeanTeacher

_STEPS = 3


def gradients(job: Job) -> str:
    """Each parameter of the student is trained; teachers and frozen parts get no gradient."""
    built = building.build(job)
    method = built.method
    teachers = dict(copies_of_the_student(method))
    _check_teachers(teachers)
    names = {id(each): name for name, each in method.named_parameters()}
    trained = {name: each for name, each in method.named_parameters() if each.requires_grad}
    inside = {id(each) for teacher in teachers.values() for each in teacher.parameters()}
    fixed = {
        name: each.detach().clone()
        for name, each in method.named_parameters()
        if not each.requires_grad and id(each) not in inside
    }
    reached = _watch(trained)
    data = building.batches(job)
    building.seeded(0)
    for _ in range(_STEPS):
        building.step(built, next(data))
    _check_reached(trained, reached, by_part(built.optimizers))
    wrong = [names[id(each)] for each in method.parameters() if _has_stray_gradient(each)]
    moved = [name for name, value in fixed.items() if not _same(method, name, value)]
    if wrong or moved:
        raise Failed(f"frozen {some(wrong or moved)} {'got a gradient' if wrong else 'changed'}")
    known = f", {len(teachers)} teacher(s) left alone" if teachers else ""
    return f"{len(trained)} parameters reached{known}, {len(fixed)} frozen ones unchanged"


def copies_of_the_student(method: Any) -> Iterator[tuple[str, nn.Module]]:
    """Parts outside of the student that are teachers, by the name of each.

    A teacher is what is built like the student or its encoder (equal names and shapes), a
    `MeanTeacher`, and whatever is called so.
    """
    plans = [_plan(method.student), _plan(method.student.backbone)]
    found: list[str] = []
    for name, module in method.named_modules():
        if not name or name == STUDENT or name.startswith((f"{STUDENT}.", *found)):
            continue
        called = "teacher" in name.rpartition(".")[2].lower()
        if called or isinstance(module, MeanTeacher) or _plan(module) in plans:
            found.append(f"{name}.")
            yield name, module


def _plan(module: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, each.shape) for name, each in module.named_parameters()]


def _check_teachers(teachers: dict[str, nn.Module]) -> None:
    for name, teacher in teachers.items():
        free = [f"{name}.{key}" for key, each in teacher.named_parameters() if each.requires_grad]
        if free:
            raise Failed(
                f"the teacher {name} would be trained: {some(free)} require gradients",
                "call requires_grad_(False) on it when it is built, or use MeanTeacher",
            )


def _watch(trained: dict[str, nn.Parameter]) -> dict[str, bool]:
    """Will hold whether a gradient that is not all zero has come to each parameter."""
    reached: dict[str, bool] = {}
    for name, parameter in trained.items():

        def seen(gradient: torch.Tensor, name: str = name) -> None:
            reached[name] = reached.get(name, False) or bool(gradient.any())

        parameter.register_hook(seen)
    return reached


def _check_reached(
    trained: dict[str, nn.Parameter], reached: dict[str, bool], parts: dict[str, Any]
) -> None:
    for part in parts:
        if not any(value for name, value in reached.items() if name.startswith(f"{part}.")):
            raise Failed(f"no gradient reaches the {part}", "yield a Term whose loss depends on it")
    missed = [name for name in trained if name not in reached]
    if missed:
        raise Failed(
            f"no gradient reaches {some(missed)}",
            "use these parameters, drop them, or call requires_grad_(False) on them",
        )


def _has_stray_gradient(parameter: nn.Parameter) -> bool:
    return not parameter.requires_grad and parameter.grad is not None


def _same(method: nn.Module, name: str, value: torch.Tensor) -> bool:
    return torch.equal(method.get_parameter(name), value)

"""How a cell is optimised: learning rates, weight decay, precision and schedules by part."""

from __future__ import annotations

from typing import Any

from benchmark import variants
from benchmark.errors import FragmentError
from benchmark.registry import Fragment


def optimizers(protocol: Fragment, method: Fragment, encoder: Fragment) -> dict[str, Any]:
    """The student's optimizer alone, or beside it one for each further part of the method.

    Raises:
        FragmentError: a fragment lacks a name that is needed here, or asks for another precision
            than fp32 and bf16.
    """
    student = _in_precision(_student(protocol, encoder), protocol, encoder)
    parts = _parts(protocol, method)
    if not parts:
        return student
    others = {
        name: {"type": "OptimWrapper", "optimizer": part["optimizer"]}
        for name, part in parts.items()
    }
    return {"constructor": "PartOptimWrapperConstructor", "student": student, **others}


def schedules(
    protocol: Fragment, method: Fragment, iterations: int
) -> list[dict[str, Any]] | dict[str, Any]:
    """The schedules of the same optimizers; a part's learning rate decays to 0, without warm-up.

    Raises:
        FragmentError: the protocol lacks its schedule.
    """
    student = _warmed_up(protocol, iterations)
    parts = _parts(protocol, method)
    if not parts:
        return student
    return {
        "student": student,
        **{name: [_decay(part["power"], iterations)] for name, part in parts.items()},
    }


def _student(protocol: Fragment, encoder: Fragment) -> dict[str, Any]:
    """The student's optimizer: the protocol's, with the rates and the decay of the encoder."""
    rates = encoder.require("learning_rate")
    optimizer = {**protocol.require("optimizer"), "lr": rates["decoder"]}
    if "weight_decay" in encoder.values:
        optimizer["weight_decay"] = encoder.require("weight_decay")
    return {
        "type": "OptimWrapper",
        "constructor": "StudentOptimWrapperConstructor",
        "optimizer": optimizer,
        "clip_grad": protocol.require("clip_grad"),
        "paramwise_cfg": {
            "encoder_lr_mult": rates["encoder"] / rates["decoder"],
            "layer_decay": rates.get("layer_decay", 1.0),
            "decay_free": encoder.values.get("decay_free", ()),
            **{
                key: encoder.values[key] for key in ("decoder_decay_free",) if key in encoder.values
            },
        },
    }


def _in_precision(wrapper: dict[str, Any], protocol: Fragment, encoder: Fragment) -> dict[str, Any]:
    """The student's optimizer in the ``precision`` that the encoder or the protocol asks for."""
    owner = encoder if "precision" in encoder.values else protocol
    precision = owner.values.get("precision", "fp32")
    if precision not in ("fp32", "bf16"):
        raise FragmentError(
            f"{owner.path}: precision is {precision!r}, expected 'fp32' or 'bf16' (autocast)"
        )
    return wrapper if precision == "fp32" else {**wrapper, "type": "AutocastOptimWrapper"}


def _parts(protocol: Fragment, method: Fragment) -> dict[str, Any]:
    """What a method trains beside the student: optimizer and decay of each part, by its name."""
    parts: dict[str, Any] = variants.in_protocol(method, protocol).get("optimizers", {})
    return parts


def _warmed_up(protocol: Fragment, iterations: int) -> list[dict[str, Any]]:
    """Linear warm-up multiplied onto a polynomial decay that starts at iteration 0.

    This is the schedule of mmcv 1's poly policy with linear warm-up; MMEngine's two schedulers
    reproduce it when both begin at 0 and end one iteration late.
    """
    settings = protocol.require("schedule")
    return [
        {
            "type": "LinearLR",
            "start_factor": settings["warmup_factor"],
            "by_epoch": False,
            "begin": 0,
            "end": settings["warmup_iterations"] + 1,
        },
        _decay(settings["power"], iterations),
    ]


def _decay(power: float, iterations: int) -> dict[str, Any]:
    """Learning rate times (1 - t / iterations)^power in iteration t."""
    return {
        "type": "PolyLR",
        "power": power,
        "eta_min": 0.0,
        "by_epoch": False,
        "begin": 0,
        "end": iterations + 1,
    }

"""From fragments to the one configuration that a cell is trained and scored with.

The result is an MMEngine runner configuration of plain values, without anything that may differ
between two machines (paths, device, worker processes). It is what a cell's identity digests.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.errors import FragmentError
from benchmark.registry import Fragment

NUM_CLASSES = 19


def resolve(
    protocol: Fragment,
    method: Fragment,
    encoder: Fragment,
    shift: Fragment,
    domains: Mapping[str, Fragment],
    seed: int,
    iterations: int | None = None,
) -> dict[str, Any]:
    """Compose the training and evaluation configuration of one cell.

    Args:
        domains: the fragment of every domain that ``shift`` names, by name.
        iterations: replaces the protocol's number of iterations.

    Raises:
        FragmentError: a fragment lacks a name that is needed here.
    """
    length = iterations if iterations is not None else _get(protocol, "iterations")
    roles = {_get(shift, "source"): "source", _get(shift, "target"): "target"}
    roles |= dict.fromkeys(_get(shift, "unseen"), "unseen")
    return _plain(
        {
            "default_scope": "mmseg_ext",
            "custom_imports": {"imports": ["mmseg_ext"]},
            "model": _model(protocol, method, encoder),
            "train_dataloader": _train_loader(protocol, method, shift, domains, seed),
            "train_cfg": {"type": "UDATrainLoop", "max_iters": length},
            "optim_wrapper": _optimizers(
                _in_precision(_optimizer(protocol, encoder), protocol, encoder), protocol, method
            ),
            "param_scheduler": _schedules(_schedule(protocol, length), protocol, method, length),
            "test_dataloader": {name: _test_loader(protocol, domains[name]) for name in roles},
            "test_cfg": {"type": "MultiDomainTestLoop"},
            "test_evaluator": {"type": "ConfusionMetric"},
            "randomness": {"seed": seed},
            "roles": roles,
            "domains": {name: _data(domains[name]) for name in roles},
        }
    )


def _get(fragment: Fragment, key: str) -> Any:
    if key not in fragment.values:
        raise FragmentError(f"{fragment.path}: a {fragment.kind} must define {key!r}")
    return copy.deepcopy(fragment.values[key])


def _merge(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes`` laid over it, dictionaries merged key by key."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _changes(protocol: Fragment, method: Fragment) -> dict[str, Any]:
    """What the protocol changes in a method, for its world."""
    return copy.deepcopy(protocol.values.get("methods", {}).get(method.name, {}))


def _model(protocol: Fragment, method: Fragment, encoder: Fragment) -> dict[str, Any]:
    changes = _changes(protocol, method)
    changes.pop("rare_class_sampling", None)  # not the model's, see _rare_class_sampling
    channels = list(_get(encoder, "channels"))
    segmentor = {
        "type": "EncoderDecoder",
        "backbone": _get(encoder, "backbone"),
        "decode_head": {
            **_get(protocol, "decode_head"),
            "in_channels": channels,
            "num_classes": NUM_CLASSES,
        },
        "train_cfg": {},
        "test_cfg": {"mode": _get(protocol, "evaluation")["mode"]},
    }
    preprocessor = {
        "type": "SegDataPreProcessor",
        # Left out, they are those that the encoder's weights ask for.
        **{key: _get(encoder, key) for key in ("mean", "std") if key in encoder.values},
        "bgr_to_rgb": True,
        "size": _get(protocol, "image_size"),
        "pad_val": 0,
        "seg_pad_val": 255,
    }
    shared = {
        "segmentor": segmentor,
        "data_preprocessor": preprocessor,
        "class_weight": _get(protocol, "class_weight"),
        "channels_last": _get(protocol, "channels_last"),
    }
    # Last what the method says: it may build on another segmentor than the plain one.
    return _merge(shared, _merge(_get(method, "model"), changes))


def _train_loader(
    protocol: Fragment,
    method: Fragment,
    shift: Fragment,
    domains: Mapping[str, Fragment],
    seed: int,
) -> dict[str, Any]:
    augment = _get(protocol, "pipeline")
    source, target = domains[_get(shift, "source")], domains[_get(shift, "target")]
    if method.card.get("target_labels"):
        # Only the oracle: the target takes the source's place, openly and with its labels.
        labelled, unlabelled = target, None
    else:
        labelled, unlabelled = source, target if method.card.get("target_images") else None
    return {
        "batch_size": _get(protocol, "batch_size"),
        "sampler": {"type": "PositionSampler"},
        "dataset": {
            "type": "PairedDataset",
            "source": _dataset(labelled, "train", augment, labelled=True),
            "target": None
            if unlabelled is None
            else _dataset(
                unlabelled, "train", augment, labelled=False, margins=_margins(method, unlabelled)
            ),
            "seed": seed,
            **_rare_class_sampling(protocol, method),
        },
    }


def _rare_class_sampling(protocol: Fragment, method: Fragment) -> dict[str, Any]:
    """The argument of the paired data set, where the method asks and the protocol agrees."""
    rule = method.values.get("rare_class_sampling")
    changes = _changes(protocol, method).get("rare_class_sampling", {})
    if rule is None or changes is None:
        return {}
    return {"rare_class_sampling": _merge(copy.deepcopy(rule), changes)}


def _margins(method: Fragment, target: Fragment) -> dict[str, Any] | None:
    """Margins of the target's images, where it has any and the method does not trust them."""
    if not method.values.get("valid_margins"):
        return None
    margins: dict[str, Any] | None = copy.deepcopy(target.values.get("valid_margins"))
    return margins


def _test_loader(protocol: Fragment, domain: Fragment) -> dict[str, Any]:
    return {
        "batch_size": _get(protocol, "evaluation")["batch_size"],
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "dataset": _dataset(domain, "test", [], labelled=True),
    }


def _dataset(
    domain: Fragment,
    split: str,
    augment: Sequence[Mapping[str, Any]],
    *,
    labelled: bool,
    margins: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A domain's data set; without ``labelled`` it has neither label paths nor a label reader.

    With ``margins`` each sample carries a mask of the pixels inside of them.
    """
    folder = f"{_get(domain, 'domain')}/{split}"
    readers: list[dict[str, Any]] = [{"type": "ReadImage"}]
    pack = {"type": "PackSegInputs"}
    if labelled:
        readers.append({"type": "ReadLabel"})
    if margins is not None:
        readers.append({"type": "AttachValidPixels", **margins})
        pack = {"type": "PackWithValidPixels"}
    return {
        "type": "DomainDataset",
        "domain": domain.name,
        "images": f"{folder}/images",
        "labels": f"{folder}/labels" if labelled else None,
        "pipeline": [*readers, *augment, pack],
    }


def _data(domain: Fragment) -> dict[str, Any]:
    return {key: _get(domain, key) for key in ("reader", "domain", "world")}


def _optimizer(protocol: Fragment, encoder: Fragment) -> dict[str, Any]:
    """The student's optimizer: the protocol's, with the rates and the decay of the encoder."""
    rates = _get(encoder, "learning_rate")
    optimizer = {**_get(protocol, "optimizer"), "lr": rates["decoder"]}
    if "weight_decay" in encoder.values:
        optimizer["weight_decay"] = _get(encoder, "weight_decay")
    return {
        "type": "OptimWrapper",
        "constructor": "StudentOptimWrapperConstructor",
        "optimizer": optimizer,
        "clip_grad": _get(protocol, "clip_grad"),
        "paramwise_cfg": {
            "encoder_lr_mult": rates["encoder"] / rates["decoder"],
            "layer_decay": rates.get("layer_decay", 1.0),
            "decay_free": encoder.values.get("decay_free", ()),
        },
    }


def _schedule(protocol: Fragment, iterations: int) -> list[dict[str, Any]]:
    """Linear warm-up multiplied onto a polynomial decay that starts at iteration 0.

    This is the schedule of mmcv 1's poly policy with linear warm-up; MMEngine's two schedulers
    reproduce it when both begin at 0 and end one iteration late.
    """
    settings = _get(protocol, "schedule")
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
    own = copy.deepcopy(method.values.get("optimizers", {}))
    return _merge(own, protocol.values.get("optimizers", {}).get(method.name, {}))


def _optimizers(student: dict[str, Any], protocol: Fragment, method: Fragment) -> dict[str, Any]:
    """The student's optimizer alone, or beside it one for each further part of the method."""
    parts = _parts(protocol, method)
    if not parts:
        return student
    others = {
        name: {"type": "OptimWrapper", "optimizer": part["optimizer"]}
        for name, part in parts.items()
    }
    return {"constructor": "PartOptimWrapperConstructor", "student": student, **others}


def _schedules(
    student: list[dict[str, Any]], protocol: Fragment, method: Fragment, iterations: int
) -> list[dict[str, Any]] | dict[str, Any]:
    """The schedules of the same optimizers; a part's learning rate decays to 0, without warm-up."""
    parts = _parts(protocol, method)
    if not parts:
        return student
    return {
        "student": student,
        **{name: [_decay(part["power"], iterations)] for name, part in parts.items()},
    }


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


def _plain(value: Any) -> Any:
    """Tuples as lists, so that the configuration survives a round trip through JSON unchanged."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value

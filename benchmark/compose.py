"""From fragments to the one configuration that a cell is trained and scored with.

The result is an MMEngine runner configuration of plain values, without anything that may differ
between two machines (paths, device, worker processes). It is what a cell's identity digests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark import (
    class_subsets,
    domains,
    evaluation_rules,
    optimisation,
    registry,
    shift_sources,
    training_data,
    variants,
)
from benchmark.registry import Fragment, overlaid

NUM_CLASSES = 19


def resolve(
    protocol: Fragment,
    method: Fragment,
    encoder: Fragment,
    shift: Fragment,
    found: Mapping[str, Fragment],
    seed: int,
    iterations: int | None = None,
) -> dict[str, Any]:
    """Compose the training and evaluation configuration of one cell.

    Args:
        found: the fragment of every domain that ``shift`` names, by name.
        iterations: replaces the protocol's number of iterations.

    Raises:
        FragmentError: a fragment lacks a name that is needed here.
    """
    length = iterations if iterations is not None else protocol.require("iterations")
    roles = dict.fromkeys(shift_sources.names(shift), "source")
    roles[shift.require("target")] = "target"
    roles |= dict.fromkeys(shift.require("unseen"), "unseen")
    return _plain(
        {
            "default_scope": "mmseg_ext",
            "custom_imports": {"imports": _imports(protocol, method, encoder, shift, found)},
            "model": _model(protocol, method, encoder),
            "train_dataloader": training_data.loader(protocol, method, shift, found, seed),
            "train_cfg": {"type": "UDATrainLoop", "max_iters": length},
            "optim_wrapper": optimisation.optimizers(protocol, method, encoder),
            "param_scheduler": optimisation.schedules(protocol, method, length),
            "test_dataloader": {
                name: _test_loader(protocol, found[name])
                for name in roles
                if domains.can_be_scored(found[name])
            },
            "test_cfg": {"type": "MultiDomainTestLoop"},
            "test_evaluator": {"type": "ConfusionMetric"},
            "randomness": {"seed": seed},
            "roles": roles,
            "domains": {name: domains.facts(found[name]) for name in roles},
            **_scoring(protocol, shift),
        }
    )


def with_seed(config: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The configuration of the same cell with another seed; all else is shared with ``config``."""
    loader = config["train_dataloader"]
    dataset = {**loader["dataset"], "seed": seed}
    return {
        **config,
        "train_dataloader": {**loader, "dataset": dataset},
        "randomness": {**config["randomness"], "seed": seed},
    }


def _imports(
    protocol: Fragment,
    method: Fragment,
    encoder: Fragment,
    shift: Fragment,
    found: Mapping[str, Fragment],
) -> list[str]:
    """The modules to import before the cell is built: ours, then those its fragments ask for."""
    used = [protocol, method, encoder, shift, *found.values()]
    for domain in found.values():
        if domain.values.get("reader") == domains.FILES:
            used.append(domains.dataset_of(domain))
    rules = protocol.values.get("evaluation")
    if isinstance(rules, str):
        used.append(registry.find("evaluation", rules))
    model = _method_model(protocol, method)
    teacher = (model.get("feature_distance") or {}).get("teacher")
    if isinstance(teacher, Mapping) and isinstance(teacher.get("encoder"), str):
        used.append(registry.find("encoder", teacher["encoder"]))
    own = ["mmseg_ext", *training_data.imports(method, shift)]
    return list(dict.fromkeys([*own, *(name for each in used for name in each.imports)]))


def _method_model(protocol: Fragment, method: Fragment) -> dict[str, Any]:
    """The method's own part of the model, as it is in the protocol's world."""
    method.require("model")
    model: dict[str, Any] = variants.in_protocol(method, protocol)["model"]
    return model


def _model(protocol: Fragment, method: Fragment, encoder: Fragment) -> dict[str, Any]:
    channels = list(encoder.require("channels"))
    segmentor = {
        "type": "EncoderDecoder",
        "backbone": _backbone(encoder),
        "decode_head": {
            **protocol.require("decode_head"),
            "in_channels": channels,
            "num_classes": NUM_CLASSES,
        },
        "train_cfg": {},
        "test_cfg": evaluation_rules.of_protocol(protocol).inference,
    }
    preprocessor = {
        "type": "SegDataPreProcessor",
        # Left out, they are those that the encoder's weights ask for.
        **{key: encoder.require(key) for key in ("mean", "std") if key in encoder.values},
        "bgr_to_rgb": True,
        "size": protocol.require("image_size"),
        "pad_val": 0,
        "seg_pad_val": 255,
    }
    shared = {
        "segmentor": segmentor,
        "data_preprocessor": preprocessor,
        "class_weight": protocol.require("class_weight"),
        "channels_last": protocol.require("channels_last"),
    }
    # Last what the method says: it may build on another segmentor than the plain one.
    model = overlaid(shared, _method_model(protocol, method))
    if model.get("feature_distance"):
        distance = model["feature_distance"]
        model["feature_distance"] = {**distance, "teacher": _teacher(distance.get("teacher"))}
        refused = encoder.values.get("feature_distance", True) is None
        if refused and not method.values.get("insists_on_feature_distance"):
            model["feature_distance"] = None  # the encoder asks for none
    return model


def _backbone(encoder: Fragment) -> dict[str, Any]:
    """The encoder's configuration; ``weights_of`` says whose file a machine has to look for."""
    backbone: dict[str, Any] = encoder.require("backbone")
    if backbone.get("pretrained") is None:
        return backbone
    return {**backbone, "weights_of": variants.weights_name(encoder)}


def _teacher(teacher: Any) -> Any:
    """The teacher of a feature distance, an encoder in it by its name replaced by what it is."""
    if not isinstance(teacher, Mapping) or not isinstance(teacher.get("encoder"), str):
        return teacher
    encoder = registry.find("encoder", teacher["encoder"])
    own = {key: encoder.require(key) for key in ("mean", "std") if key in encoder.values}
    return {**own, **teacher, "encoder": _backbone(encoder)}


def _test_loader(protocol: Fragment, domain: Fragment) -> dict[str, Any]:
    rules = evaluation_rules.of_protocol(protocol)
    return {
        "batch_size": rules.batch_size,
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "dataset": domains.scored(domain, rules),
    }


def _scoring(protocol: Fragment, shift: Fragment) -> dict[str, Any]:
    """What the headline is a mean of, where it is not simply all classes and all images."""
    mean = evaluation_rules.of_protocol(protocol).mean
    scoring = {**({} if mean == "pooled" else {"mean": mean}), **class_subsets.of_shift(shift)}
    return {"scoring": scoring} if scoring else {}


def _plain(value: Any) -> Any:
    """Tuples as lists, so that the configuration survives a round trip through JSON unchanged."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value

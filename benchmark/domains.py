"""What a domain's fragment becomes in a runner configuration: its data sets and their readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark import corruptions, registry
from benchmark.errors import FragmentError
from benchmark.evaluation_rules import EvaluationRules
from benchmark.registry import Fragment

GENERATED = "MiniDrive"
FILES = "files"
READERS = (GENERATED, FILES)

Transforms = Sequence[Mapping[str, Any]]


def trained(
    domain: Fragment,
    protocol: Fragment,
    augment: Transforms,
    *,
    labelled: bool,
    margins: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A domain's training data set; without ``labelled`` it has neither label paths nor a reader.

    Images are resized to the protocol's ``train_scales`` of their data set, where it has one, and
    then go through ``augment``. With ``margins`` each sample carries a mask of the pixels inside.

    Raises:
        FragmentError: the domain has no training images, they have no labels, or a fragment lacks a
            name.
    """
    corruptions.refuse_training(domain)
    transforms: list[Mapping[str, Any]] = [{"type": "ReadImage"}]
    if labelled:
        if "train" in domain.values.get("unlabelled_splits", ()):
            raise FragmentError(
                f"{domain.path}: {domain.name} has no labels to train on; it can be a target, not "
                "a source, and an oracle of it cannot be trained (exclude those cells in the suite)"
            )
        transforms.append(_label_reader(domain))
    pack = {"type": "PackSegInputs"}
    if margins is not None:
        transforms.append({"type": "AttachValidPixels", **margins})
        pack = {"type": "PackWithValidPixels"}
    transforms += [*_resize(domain, protocol), *augment, pack]
    return {**source_of(domain, "train", labelled=labelled), "pipeline": transforms}


def scored(domain: Fragment, rules: EvaluationRules) -> dict[str, Any]:
    """A domain's labelled test data set, read and scored as the rules of the evaluation say."""
    reader = _label_reader(domain)
    transforms: list[Mapping[str, Any]] = [{"type": "ReadImage"}, reader]
    if domain.require("reader") != GENERATED:
        dataset = domain.require("dataset")
        space = rules.ground_truth_of(domain.name, dataset)
        scale = rules.scale_of(domain.name, dataset)
        # The label stays at its own size, to which the logits are brought, but where asked.
        transforms += [{"type": "HalveImageAndLabel"}] if space == "half" else []
        transforms += [{"type": "ScaleImage", **scale}] if scale else []
        transforms += [{"type": "LabelAtImageSize"}] if space == "network" else []
    transforms.append({"type": "PackSegInputs"})
    plain = {**source_of(domain, "test", labelled=True), "pipeline": transforms}
    return corruptions.applied(domain, plain)


def as_published(domain: Fragment, split: str, *, labelled: bool) -> dict[str, Any]:
    """A domain's images, and with ``labelled`` their labels as train ids, at their own sizes.

    Raises:
        FragmentError: the domain has no such split, or a fragment lacks a name.
    """
    readers = [{"type": "ReadImage"}, *([_label_reader(domain)] if labelled else [])]
    return {**source_of(domain, split, labelled=labelled), "pipeline": readers}


def can_be_scored(domain: Fragment) -> bool:
    """Whether a domain has test images; a source of UDA papers is trained on as a whole."""
    return domain.require("reader") == GENERATED or domain.require("test") is not None


def generated_pairs(facts: Mapping[str, Any], split: str) -> list[tuple[str, str]]:
    """What a split of a generated domain consists of: (domain, split) pairs of a MiniDrive world.

    ``facts`` are those of the domain, or the values of its fragment. Where they name the ``test``
    of a domain, its test images are those of these domains of the world.
    """
    if split == "test" and "test" in facts:
        return [(name, split) for name in facts["test"]]
    return [(facts["domain"], split)]


def facts(domain: Fragment) -> dict[str, Any]:
    """What the cell's record and the machine have to know about a domain.

    Raises:
        FragmentError: the domain's reader is unknown.
    """
    reader = domain.require("reader")
    if reader == GENERATED:
        found = {key: domain.require(key) for key in ("reader", "domain", "world")}
        return found | {key: domain.values[key] for key in ("test",) if key in domain.values}
    if reader == FILES:
        return {key: domain.require(key) for key in ("reader", "dataset", "label_map")}
    raise FragmentError(
        f"{domain.path}: reader is {reader!r}, expected one of {', '.join(READERS)}"
    )


def source_of(domain: Fragment, split: str, *, labelled: bool) -> dict[str, Any]:
    """Which images, and with ``labelled`` which labels, make a split of a domain."""
    if domain.require("reader") == GENERATED:
        pairs = generated_pairs(domain.values, split)
        if "test" in domain.values and split == "test":
            return _joined(domain, pairs, labelled=labelled)
        folder = f"{domain.require('domain')}/{split}"
        return {
            "type": "DomainDataset",
            "domain": domain.name,
            "images": f"{folder}/images",
            "labels": f"{folder}/labels" if labelled else None,
        }
    dataset = dataset_of(domain)
    where = domain.require(split)
    if where is None:
        raise FragmentError(
            f"{domain.path}: {domain.name} has no images to {split} on, use it as an unseen domain"
        )
    layouts = dataset.require("layouts")
    if not labelled:
        hidden = ("labels", "segments")
        layouts = [{k: v for k, v in layout.items() if k not in hidden} for layout in layouts]
    return {
        "type": "FileDomainDataset",
        "domain": domain.name,
        "layouts": layouts,
        "placeholders": dataset.values.get("placeholders", {}),
        "where": where,
        "excluded": sorted(dataset.values.get("excluded", {})),
        "partly_labelled": bool(domain.values.get("partly_labelled", False)),
        "group": domain.values.get("group"),
    }


def _joined(
    domain: Fragment, pairs: Sequence[tuple[str, str]], *, labelled: bool
) -> dict[str, Any]:
    """Several splits of a MiniDrive world as one data set, each split a group of its own."""
    group = domain.require("group")
    below = "{" + group + "}/{split}"
    labels = {"labels": f"{below}/labels/{{frame}}.png"} if labelled else {}
    return {
        "type": "FileDomainDataset",
        "domain": domain.name,
        "layouts": [{"name": GENERATED, "images": f"{below}/images/{{frame}}.png", **labels}],
        "placeholders": {},
        "where": {group: [name for name, _ in pairs], "split": sorted({s for _, s in pairs})},
        "excluded": [],
        "partly_labelled": False,
        "group": group,
    }


def dataset_of(domain: Fragment) -> Fragment:
    """The data set whose files a domain consists of. Raises ``UsageError`` for an unknown one."""
    return registry.find("dataset", domain.require("dataset"))


def _label_reader(domain: Fragment) -> dict[str, Any]:
    if domain.require("reader") == GENERATED:
        return {"type": "ReadLabel"}
    dataset = dataset_of(domain)
    variant, variants = domain.require("label_map"), dataset.require("label_maps")
    if variant not in variants:
        problem = registry.unknown(f"label map of {dataset.name}", variant, variants)
        raise FragmentError(f"{domain.path}: {problem}")
    reader = {
        "type": "ReadMappedLabel",
        "decoder": dataset.require("decoder"),
        "label_map": variants[variant],
        "values": list(dataset.require("values")),
    }
    optional = {"fit": "label_fit", "names": "label_names"}
    return {**reader, **{k: dataset.require(v) for k, v in optional.items() if v in dataset.values}}


def _resize(domain: Fragment, protocol: Fragment) -> list[dict[str, Any]]:
    if domain.require("reader") == GENERATED:
        return []
    scales = protocol.values.get("train_scales", {})
    scale = scales.get(domain.name, scales.get(domain.require("dataset")))
    return [] if scale is None else [{"type": "Resize", "scale": scale, "keep_ratio": True}]

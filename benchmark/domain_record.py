"""What a record says of the domains of its cell: scores, and which files they were read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmark import evaluation_rules, registry
from benchmark.domains import FILES
from benchmark.records import DomainMetrics
from benchmark.scores import domain_metrics

if TYPE_CHECKING:
    from mmengine.runner import Runner

    from mmseg_ext.evaluation import DomainScore


_SIZES = {
    "HalveImageAndLabel": "scored on labels of half their size",
    "LabelAtImageSize": "scored on labels resized to the network's input",
}


def metrics(
    config: Mapping[str, Any], scores: Mapping[str, DomainScore], loaders: Mapping[str, Any]
) -> dict[str, DomainMetrics]:
    """The scores of every evaluated domain of a cell with this configuration.

    Raises:
        UdabenchError: nothing that counts is labelled in a domain.
    """
    roles, scoring = config["roles"], config.get("scoring", {})
    found = {}
    for name, score in scores.items():
        tested = config["test_dataloader"][name]["dataset"]
        members = groups(loaders)[name]
        levels = getattr(loaders[name].dataset, "levels", ())
        scored = domain_metrics(name, roles[name], score, members, scoring, levels)
        notes = [_SIZES[each["type"]] for each in tested["pipeline"] if each["type"] in _SIZES]
        if scoring.get("mean") == "per-condition" and tested.get("group") and not any(members):
            notes.append(f"pooled: the {tested['group']} of an image is lost in this layout")
        found[name] = replace(scored, notes=(*scored.notes, *notes))
    return found


def groups(loaders: Mapping[str, Any]) -> dict[str, Sequence[str | None]]:
    """The group of every test image by domain; empty for a domain that knows none."""
    return {name: getattr(loader.dataset, "groups", ()) for name, loader in loaders.items()}


def facts(config: Mapping[str, Any], protocol: str, runner: Runner) -> dict[str, Any]:
    """``domains`` of a record's diagnostics: what was read from files; nothing without files.

    ``protocol`` names that of the cell. For each domain the data set, the label-map variant, the
    name of the evaluation preset (``None`` if the rules stand in the protocol) and, for training
    and test images, what ``FileDomainDataset.describe`` says. There are no paths in it.
    """
    preset = evaluation_rules.of_protocol(registry.find("protocol", protocol)).name
    training = runner.train_dataloader.dataset
    read: dict[str, dict[str, Any]] = {}
    sources = getattr(training.source, "datasets", [training.source])  # several, if joint
    for dataset in (*sources, training.target):
        if hasattr(dataset, "describe"):
            read.setdefault(dataset.domain, {})["train"] = dataset.describe()
    for name, loader in runner.test_loop.dataloaders.items():  # type: ignore[attr-defined]
        if hasattr(loader.dataset, "describe"):
            read.setdefault(name, {})["test"] = loader.dataset.describe()
    found = {
        name: {
            "dataset": domain["dataset"],
            "label_map": domain["label_map"],
            "evaluation": preset,
            **read.get(name, {}),
        }
        for name, domain in config["domains"].items()
        if domain["reader"] == FILES
    }
    return {"domains": found} if found else {}

"""The images of a domain's split, read and sized as the rules of a suite's scoring say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from benchmark import corruptions, data, domains, evaluation_rules, registry
from benchmark.data_roots import DataRoots
from benchmark.domains import GENERATED
from benchmark.errors import UdabenchError, UsageError
from benchmark.plan import PlannedCell
from benchmark.predictions import Images
from benchmark.registry import Fragment
from benchmark.runner_config import with_tuples

_GENERATED_SPLITS = ("train", "test")


def without_labels(name: str, protocol: str, roots: DataRoots, split: str | None = None) -> Images:
    """Every image of a domain's split, by default the one that is scored; no label is opened.

    ``protocol`` names that of the cell. Generated images that the cache lacks are made.

    Raises:
        UsageError: there is no such domain or split, nobody said where its data are, or its images
            are corrupted ones.
        UdabenchError: the data are not there.
    """
    domain = registry.find("domain", name)
    if corruptions.is_corrupted(domain):
        raise UsageError(
            f"domain {name} has every image many times over, each corrupted in another way; "
            "predictions are written for domains of plain images"
        )
    rules = evaluation_rules.of_protocol(registry.find("protocol", protocol))
    generated = domain.require("reader") == GENERATED
    if generated:
        split = _known(split or "test", _GENERATED_SPLITS, name)
        images = domains.source_of(domain, split, labelled=False)
        config = {**images, "pipeline": domains.scored(domain, rules)["pipeline"]}
        pairs = domains.generated_pairs(domain.values, split)
        config["data_root"] = str(data.generate(dict(domain.require("world")), pairs))
    else:
        dataset = domains.dataset_of(domain)
        domain = _of_split(domain, dataset, split)
        config = domains.scored(domain, rules)
        hidden = ("labels", "segments")
        config["layouts"] = [
            {key: value for key, value in layout.items() if key not in hidden}
            for layout in config["layouts"]
        ]
        config["data_root"] = str(roots.of(dataset))
    config["pipeline"] = _pipeline(config["pipeline"])
    built = _built(config)
    chosen = split or str(domain.require("test").get("split", "all"))
    own = None if generated else str(domain.require("dataset"))
    return Images(name, chosen, built, rules.batch_size, own)


def with_labels(planned: PlannedCell, roots: DataRoots, built: dict[str, Any]) -> dict[str, Any]:
    """The scored data set of every domain of a cell; ``built`` keeps them for the next cell.

    Raises:
        UsageError: nobody said where the data are.
        UdabenchError: the data are not there.
    """
    found = {}
    for name, loader in planned.config["test_dataloader"].items():
        facts = planned.config["domains"][name]
        key = json.dumps([loader["dataset"], facts], sort_keys=True)
        if key not in built:
            pipeline = [with_tuples(each) for each in loader["dataset"]["pipeline"]]
            if facts["reader"] == GENERATED:
                root = data.generate(facts["world"], domains.generated_pairs(facts, "test"))
            else:
                root = roots.of(registry.find("dataset", facts["dataset"]))
            config = {**loader["dataset"], "pipeline": pipeline, "data_root": str(root)}
            built[key] = _built(config)
        found[name] = built[key]
    return found


def _built(config: dict[str, Any]) -> Any:
    import mmseg_ext.registry  # isort: skip  (mends mmcv and MMEngine before either is used)
    from mmengine.registry import DefaultScope

    from mmseg_ext.errors import ExtensionError

    try:
        with DefaultScope.overwrite_default_scope("mmseg_ext"):
            return mmseg_ext.registry.DATASETS.build(config)
    except ExtensionError as error:
        raise UdabenchError(str(error)) from error


def _of_split(domain: Fragment, dataset: Fragment, split: str | None) -> Fragment:
    """The domain with another split in the place of its test split."""
    scored = domain.require("test")
    if split is None:
        if scored is None:
            raise UsageError(
                f"domain {domain.name} has no images to test on; --split says which to predict"
            )
        return domain
    known = dataset.values.get("placeholders", {}).get("split", ())
    _known(split, known, domain.name)
    where = {**(scored or domain.require("train") or {}), "split": split}
    return replace(domain, values={**domain.values, "test": where})


def _known(split: str, splits: tuple[str, ...], domain: str) -> str:
    if not splits:
        raise UsageError(f"--split: the files of domain {domain} are in no splits; leave it out")
    if split not in splits:
        raise UsageError(f"--split: {registry.unknown(f'split of {domain}', split, splits)}")
    return split


def _pipeline(scored: list[dict[str, Any]]) -> list[Any]:
    """The steps of the scoring, with a void label of the image's own size instead of the label."""
    from mmseg_ext.evaluation.unlabelled import native_label, void_label

    read, _, *sizes, pack = scored
    return [
        with_tuples(read),
        void_label,
        *(with_tuples(each) for each in sizes),
        native_label,
        pack,
    ]

"""``udabench weights``: whether a file loads whole into an encoder, and weights that are made."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmark import paths, plugins, registry
from benchmark.cli import EXIT_DONE, EXIT_FAILED
from benchmark.commands.bars import progress_bar
from benchmark.errors import UsageError
from benchmark.made_weights import MadeWeights
from benchmark.weights import recipe_of


def check(parsed: argparse.Namespace) -> int:
    """Build the encoder, load the file into it and print the verdict."""
    encoder = registry.find("encoder", parsed.encoder)
    backbone: dict[str, Any] = dict(encoder.values["backbone"])
    if "pretrained" not in backbone:
        raise UsageError(f"encoder {encoder.name} takes no weights: it is trained from random ones")
    if recipe_of(backbone) is not None:
        backbone["pretrained"] = None
    plugins.load(encoder.imports)
    verdict = _verdict(backbone, Path(parsed.file).expanduser())
    if parsed.json:
        print(json.dumps({"encoder": encoder.name, **verdict}, indent=1))
    elif verdict["whole"]:
        print(f"{parsed.file}: loads whole into {encoder.name}")
        print(f"  {verdict['tensors']} tensors, {verdict['layout']} layout, {verdict['dtypes']}")
        print(f"  sha256 {verdict['sha256']}")
        print(f"  images: mean {verdict['mean']}, std {verdict['std']} (RGB, 0-255)")
    else:
        print(f"{parsed.file}: refused for {encoder.name}\n  {verdict['problem']}")
    return EXIT_DONE if verdict["whole"] else EXIT_FAILED


def pretrain(parsed: argparse.Namespace) -> int:
    """Make the weights of encoders that have a recipe, unless they are there, and tell about them.

    Raises:
        UsageError: an encoder has no recipe.
        UdabenchError: a recipe cannot be followed, or the cache folder cannot be written.
    """
    made = {each.encoder: each for each in map(_made, _with_recipes(parsed.encoders))}
    cache, found = paths.cache_root(), {}
    for name, weights in made.items():
        if not weights.is_made(cache):
            with progress_bar(f"pre-training {name}") as progress:
                weights.file(cache, progress)
        found[name] = {"file": str(weights.file(cache)), **weights.facts(cache)}
        if not parsed.json:
            _print_facts(name, found[name])
    if parsed.json:
        print(json.dumps(found, indent=1))
    return EXIT_DONE


def _with_recipes(names: list[str]) -> list[registry.Fragment]:
    every = [registry.find("encoder", name) for name in names] or registry.sound("encoder")
    having = [each for each in every if recipe_of(each.values.get("backbone", {})) is not None]
    lacking = [each.name for each in every if each not in having]
    if names and lacking:
        raise UsageError(
            f"{', '.join(lacking)}: no recipe; 'pretrained' of the encoder's backbone is a recipe "
            "where its weights are made here"
        )
    return having


def _made(encoder: registry.Fragment) -> MadeWeights:
    return MadeWeights(encoder.name, encoder.values["backbone"], encoder.imports)


def _print_facts(name: str, facts: dict[str, Any]) -> None:
    print(f"{name}: {facts['file']}")
    print(f"  sha256 {facts['sha256']}")
    print(f"  {facts['what']}: {facts['accuracy']:.3f} (chance {facts['chance']:.3f})")
    if "recall_at_1" in facts:
        print(f"  R@1 {facts['recall_at_1']:.3f} (chance {facts['recall_chance']:.3f})")
    print(f"  made in {facts['seconds']:.0f} s, {facts['cpu_seconds']:.0f} s of one core")


def _verdict(backbone: dict[str, Any], file: Path) -> dict[str, Any]:
    from mmseg_ext.errors import ExtensionError
    from mmseg_ext.registry import MODELS

    try:
        encoder = MODELS.build({**backbone, "checkpoint": str(file)})
    except ExtensionError as error:
        return {"whole": False, "problem": str(error)}
    loaded = asdict(encoder.loaded)
    statistics = asdict(encoder.image_statistics)
    rounded = {key: [round(value, 3) for value in values] for key, values in statistics.items()}
    return {"whole": True, **loaded, "dtypes": ", ".join(loaded["dtypes"]), **rounded}

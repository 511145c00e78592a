"""Rehearsals: a suite's cells for a few iterations, on data and weights that everybody has.

A rehearsal is an ordinary run of a derived suite. Its fragments are those of the suite but for a
few values: fewer iterations, no weights where the files are absent, and on a processor smaller
crops and images. They are written into a configs folder of their own, MiniDrive is exported in the
layouts of the data sets that the cells read, and ``udabench run`` does the rest. So what is
rehearsed is the real program, and no real record is touched.
"""

from __future__ import annotations

import copy
import dataclasses
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import paths, plugins, registry
from benchmark.domains import FILES, GENERATED
from benchmark.errors import SuiteError
from benchmark.plan import domain_fragments
from benchmark.plugins import Plugin
from benchmark.registry import Fragment, overlaid
from benchmark.suite import AXES, Suite
from benchmark.suite_entries import within
from benchmark.variants import weights_name
from benchmark.weights import WeightsFolder, recipe_of


@dataclass(frozen=True)
class Terms:
    """What a rehearsal changes.

    Attributes:
        iterations: training steps of a cell.
        images: images of each split that are exported.
        shrink: crops and images are smaller by this factor, 1 to leave them as they are.
    """

    iterations: int
    images: int
    shrink: int


def derived(suite: Suite, folder: Path, terms: Terms, weights: WeightsFolder) -> Path:
    """Write the fragments and the suite of a rehearsal into ``folder``; return the suite's file.

    Of several seeds the first is rehearsed.

    Raises:
        SuiteError: the suite has no cells.
        FragmentError: a fragment is broken.
    """
    if not suite.cells():
        raise SuiteError(f"suite {suite.name}: no cells are left to rehearse")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(paths.configs_root(), folder, ignore=ignored)
    for plugin in plugins.active():
        if plugin.folder.is_dir():
            shutil.copytree(plugin.folder, _copy_of(plugin, folder), ignore=ignored)
    for name, followers in protocols_of(suite).items():
        protocol = registry.find("protocol", name)
        methods = [registry.find("method", follower) for follower in followers]
        _write(folder, "protocol", name, _protocol(protocol, methods, terms))
        given = protocol.values.get("evaluation")
        if isinstance(given, str):
            rules = registry.find("evaluation", given).values
            _write(folder, "evaluation", given, smaller(dict(rules), terms.shrink))
    used = {name: registry.find("encoder", name) for name in suite.encoders}
    for name, encoder in ({each.name: each for each in registry.sound("encoder")} | used).items():
        values = encoder.values
        backbone = values.get("backbone", {})
        if backbone.get("pretrained") is None:
            continue
        if recipe_of(backbone) is not None or weights.missing(weights_name(encoder), backbone):
            random = {**backbone, "pretrained": None}
            _write(folder, "encoder", name, {**values, "backbone": random})
    for domain in domains_of(suite):
        if domain.values.get("reader") == GENERATED:
            world = {
                **domain.require("world"),
                "train_images": terms.images,
                "test_images": terms.images,
            }
            _write(folder, "domain", domain.name, {**domain.values, "world": world})
    return _write_suite(folder, suite)


def protocols_of(suite: Suite) -> dict[str, list[str]]:
    """The protocols of the suite's cells, each with the methods that follow it."""
    found: dict[str, list[str]] = {}
    for method in suite.methods:
        found.setdefault(suite.protocol_of(method), []).append(method)
    return found


def plugin_folders(folder: Path) -> str:
    """``$UDABENCH_PLUGINS`` of a rehearsal: each plugin, with the copies of its fragments."""
    return ",".join(f"{each.module}={_copy_of(each, folder)}" for each in plugins.active())


def _copy_of(plugin: Plugin, folder: Path) -> Path:
    return folder.with_name("plugins") / plugin.module


def domains_of(suite: Suite) -> list[Fragment]:
    """Every domain that the suite's cells read."""
    found: dict[str, Fragment] = {}
    for shift in suite.shifts:
        found |= domain_fragments(registry.find("shift", shift))
    return list(found.values())


def datasets_of(suite: Suite) -> list[str]:
    """Names of the data sets that the suite's cells read, generated ones aside."""
    used = (d.require("dataset") for d in domains_of(suite) if d.values.get("reader") == FILES)
    return list(dict.fromkeys(used))


def smaller(value: Any, factor: int) -> Any:
    """Fragment values with every size in pixels divided by ``factor``, rounded down to even."""
    sizes = {"scale", "crop_size", "stride", "image_size", "detail_size", "short_side"}
    if factor == 1:
        return copy.deepcopy(value)
    if isinstance(value, Mapping):
        return {
            key: _divided(item, factor)
            if key in sizes or key in ("scales", "train_scales")
            else smaller(item, factor)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(smaller(item, factor) for item in value)
    return copy.deepcopy(value)


def _divided(value: Any, factor: int) -> Any:
    if isinstance(value, Mapping):
        return {key: _divided(item, factor) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_divided(item, factor) for item in value)
    return max(2, value // factor // 2 * 2) if isinstance(value, int) else value


def _protocol(protocol: Fragment, methods: list[Fragment], terms: Terms) -> dict[str, Any]:
    """The protocol with fewer iterations and what small crops and few images ask of methods."""
    changed: dict[str, Any] = smaller(dict(protocol.values), terms.shrink)
    changed["iterations"] = terms.iterations
    schedule = changed["schedule"]
    changed["schedule"] = {
        **schedule,
        "warmup_iterations": min(schedule["warmup_iterations"], terms.iterations),
    }
    own = changed.get("methods", {})
    for method in methods:
        adapted = _adapted(method, terms.shrink)
        if adapted:
            own[method.name] = overlaid(dict(own.get(method.name, {})), adapted)
    return {**changed, "methods": own}


def _adapted(method: Fragment, shrink: int) -> dict[str, Any]:
    """Changes of a method that its absolute numbers of pixels make necessary."""
    changes: dict[str, Any] = {}
    if method.values.get("rare_class_sampling") is not None:
        # A handful of images need not hold thousands of pixels of every class that occurs.
        changes["rare_class_sampling"] = {"min_pixels": 0, "min_crop_ratio": 0.0}
    model = method.values["model"]
    rows = model.get("ignored_rows")
    if shrink > 1 and rows:
        changes["ignored_rows"] = {side: count // shrink for side, count in rows.items()}
    if shrink > 1 and isinstance(model.get("segmentor"), Mapping):
        changes["segmentor"] = smaller(model["segmentor"], shrink)
    if shrink > 1 and isinstance(model.get("masking"), Mapping) and "size" in model["masking"]:
        changes["masking"] = {"size": max(8, model["masking"]["size"] // shrink)}
    return changes


def _write(folder: Path, kind: str, name: str, values: Mapping[str, Any]) -> None:
    """A fragment file that says exactly these values."""
    lines = [f'"""{kind.capitalize()} {name}, changed for a rehearsal."""', ""]
    lines += [f"{key} = {value!r}" for key, value in values.items()]
    owner = registry.home(kind, name) if name in registry.names(kind) else None
    home = _copy_of(owner, folder) if owner is not None and owner.module else folder
    path = home / f"{kind}s" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_suite(folder: Path, suite: Suite) -> Path:
    import yaml

    only = dataclasses.replace(suite, seeds=suite.seeds[:1])
    document = {
        "title": f"Rehearsal of {suite.title}",
        "protocol": suite.protocol,
        "protocols": {name: suite.protocol_of(name) for name in suite.methods},
        "methods": list(only.methods),
        "encoders": list(only.encoders),
        "shifts": list(only.shifts),
        "seeds": list(only.seeds),
        # Weights of random networks: gigabytes a cell that nobody wants.
        "checkpoints": {"keep": "nothing"},
        "exclude": _exclusions(only),
    }
    path = folder / "suites" / f"{suite.name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _exclusions(suite: Suite) -> list[dict[str, Any]]:
    """The suite's exclusions as far as they speak of cells that its axes, perhaps cut, still have.

    A suite file may not name what its axes lack.
    """
    grid = {axis: getattr(suite, key) for axis, key in AXES.items()}
    kept = ((within(entry.match, grid), entry.reason) for entry in suite.excluded)
    return [
        {**{axis: list(values) for axis, values in match.items()}, "reason": reason}
        for match, reason in kept
        if match is not None
    ]

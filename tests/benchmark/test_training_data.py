"""What cells of a shift with several sources train on, and that nobody else's cells change."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from benchmark import (
    compose,
    data_cache,
    domain_record,
    minidrive_export,
    plan,
    plugins,
    registry,
    rehearsal,
    training_data,
)
from benchmark import suite as suites
from benchmark.cell import Cell
from benchmark.data_fingerprint import DataFiles
from benchmark.data_roots import DataRoots
from benchmark.errors import FragmentError
from benchmark.identity import packages_of
from benchmark.missing_data import missing_data
from benchmark.paths import CellPaths
from benchmark.report import gather
from benchmark.report.tables import build
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime
from benchmark.weights import WeightsFolder

JOINT = "gta5-synthia-cityscapes"
MODULE = "mmseg_ext/datasets/joint.py"
KEPT = [c for c in range(19) if c not in (9, 14, 16)]
SETS = ("gta5", "synthia", "cityscapes")


def resolve(
    method: str, shift: str = JOINT, protocol: str = "daformer", **changes: Any
) -> dict[str, Any]:
    """A configuration; ``changes`` replace values of the shift, ``None`` removes them."""
    found = registry.find("shift", shift)
    values = {k: v for k, v in {**found.values, **changes}.items() if v is not None}
    found = dataclasses.replace(found, values=values)
    return compose.resolve(
        registry.find("protocol", protocol),
        registry.find("method", method),
        registry.find("encoder", "mit-b5"),
        found,
        plan.domain_fragments(found),
        seed=0,
    )


def pair(method: str, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = resolve(method, **changes)["train_dataloader"]["dataset"]
    return found


def step(dataset: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(each for each in dataset["pipeline"] if each["type"] == kind)


@pytest.mark.parametrize("method", ["source-only", "dacs", "daformer", "mic"])
def test_each_source_is_read_as_where_it_is_the_only_one(method: str) -> None:
    joint = pair(method)
    assert joint["type"] == "JointPairedDataset"
    ignoring = {"type": "IgnoreOtherClasses", "classes": KEPT}
    for name, dataset in zip(("gta5", "synthia"), joint["source"], strict=True):
        alone = pair(method, shift=f"{name}-cityscapes")["source"]
        # After the resize, up to which images are cached, and before the first random transform.
        place = [each["type"] for each in alone["pipeline"]].index("Resize") + 1
        steps = [*alone["pipeline"][:place], ignoring, *alone["pipeline"][place:]]
        assert dataset == {**alone, "pipeline": steps}
    assert [step(each, "Resize")["scale"] for each in joint["source"]] == [[1280, 720], [1280, 760]]
    alone = pair(method, shift="gta5-cityscapes")
    rest = {key: value for key, value in joint.items() if key not in ("type", "source")}
    assert rest == {key: value for key, value in alone.items() if key not in ("type", "source")}


def test_source_labels_are_read_and_target_labels_are_not() -> None:
    joint = pair("dacs")
    for dataset in joint["source"]:
        assert all("labels" in layout for layout in dataset["layouts"])
        assert step(dataset, "ReadMappedLabel")
    assert not any("labels" in layout for layout in joint["target"]["layouts"])
    kinds = {each["type"] for each in joint["target"]["pipeline"]}
    assert not kinds & {"ReadMappedLabel", "ReadLabel", "IgnoreOtherClasses"}
    assert pair("source-only")["target"] is None


def test_the_oracle_trains_on_the_target_alone() -> None:
    config = resolve("oracle")
    assert config["train_dataloader"] == resolve("oracle", "gta5-cityscapes")["train_dataloader"]
    assert config["custom_imports"] == {"imports": ["mmseg_ext"]}


def test_every_source_has_its_role_and_the_mean_its_classes() -> None:
    config = resolve("dacs")
    unseen = dict.fromkeys(("bdd100k", "mapillary", "acdc"), "unseen")
    roles = {"gta5": "source", "synthia": "source", "cityscapes": "target", **unseen}
    assert config["roles"] == roles
    assert list(config["domains"]) == list(roles)
    assert config["scoring"] == resolve("dacs", "synthia-cityscapes")["scoring"]
    assert config["scoring"]["classes"] == KEPT
    assert json.loads(json.dumps(config)) == config


def test_without_classes_of_its_own_a_shift_trains_on_all_labels() -> None:
    for dataset in pair("dacs", classes=None, also=None)["source"]:
        assert "IgnoreOtherClasses" not in {each["type"] for each in dataset["pipeline"]}


@pytest.mark.parametrize("source", ["synthia", ["synthia"], ("synthia",)])
def test_a_list_of_one_source_is_that_source(source: Any) -> None:
    assert resolve("daformer", source=source) == resolve("daformer", "synthia-cityscapes")


def test_the_order_of_sources_is_that_of_their_images() -> None:
    turned = pair("dacs", source=["synthia", "gta5"])["source"]
    assert turned == pair("dacs")["source"][::-1]


def test_generated_sources_can_be_joined_too() -> None:
    changes = {"source": ["minidrive-synthetic", "minidrive-fog"], "unseen": []}
    config = resolve("dacs", "minidrive", "minidrive", **changes)
    found = config["train_dataloader"]["dataset"]["source"]
    assert [each["images"] for each in found] == ["synthetic/train/images", "fog/train/images"]
    needed = plan_needs(config)
    assert {("synthetic", "train"), ("fog", "train"), ("real", "train")} <= set(needed)


def plan_needs(config: dict[str, Any]) -> list[tuple[str, str]]:
    from benchmark.data import needs

    cell = plan.PlannedCell(Cell("m", "e", "s", 0), None, config, "missing", "")
    return [found for pairs in needs([cell]).values() for found in pairs]


def test_a_source_without_labels_is_refused() -> None:
    with pytest.raises(FragmentError, match=r"dark-zurich has no labels to train on"):
        resolve("dacs", source=["gta5", "dark-zurich"])


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name, images in zip(SETS, (3, 2, 2), strict=True):
        minidrive_export.export(name, root, images=images, size=(320, 176))
    return root


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    registry.forget()
    yield tmp_path / "cache"
    registry.forget()


@pytest.fixture
def small(tmp_path: Path, cache: Path) -> suites.Suite:
    lines = ["title: Small", "protocol: daformer", "methods: [source-only, dacs, daformer, oracle]"]
    lines += ["encoders: [resnet-mini]", f"shifts: [{JOINT}]", "seeds: [0]"]
    (tmp_path / "small.yaml").write_text("\n".join(lines))
    return suites.load(str(tmp_path / "small.yaml"))


def made(suite: suites.Suite, root: Path | None) -> dict[str, plan.PlannedCell]:
    found = plan.make(suite, suite.path.parent / "out", files=DataFiles(DataRoots(root)))
    return {each.cell.method: each for each in found.entries}


def test_a_cell_depends_on_the_files_of_every_source(small: suites.Suite, exported: Path) -> None:
    cells = made(small, exported)
    digests = cells["dacs"].identity.domains  # type: ignore[union-attr]
    assert None not in (digests["gta5"], digests["synthia"], digests["cityscapes"])
    assert MODULE in cells["dacs"].identity.modules  # type: ignore[union-attr]
    oracle = cells["oracle"].identity
    assert oracle is not None
    assert MODULE not in oracle.modules
    assert oracle.domains["synthia"] == oracle.domains["gta5"] != digests["gta5"]
    for each in plan.make(suites.load("demo-full"), small.path.parent / "none").entries:
        assert each.identity is None or MODULE not in each.identity.modules


def test_missing_sources_are_each_named(small: suites.Suite, exported: Path) -> None:
    def lacking(method: str, root: Path | None) -> list[str]:
        cells = [made(small, None)[method]]
        return [text.split()[2] for text in missing_data(cells, DataRoots(root))]

    assert lacking("dacs", None)[:3] == ["gta5", "synthia", "cityscapes"]
    assert "synthia" not in lacking("oracle", None)
    assert not {*lacking("dacs", exported)} & {*SETS}


def test_the_caches_of_single_sources_serve(
    small: suites.Suite, exported: Path, cache: Path
) -> None:
    protocol = registry.find("protocol", "daformer")
    wanted = data_cache.wanted(list(SETS), DataRoots(exported), with_labels=False)
    assert [each.title for each in wanted] == [
        "gta5 with labels",
        "synthia with labels",
        "cityscapes with labels",  # the source of other shifts
        "cityscapes without labels",
    ]
    for each in wanted:
        data_cache.make(each, protocol, DataRoots(exported), 1, lambda *_: None)
    dataset = built(made(small, exported)["daformer"], exported, cache)
    assert all(part._cached is not None for part in (*dataset.source.datasets, dataset.target))
    assert [part.domain for part in dataset.source.datasets] == ["gta5", "synthia"]
    assert len(dataset.source) == 5
    kept = sorted(path.name.split("-")[0] for path in (cache / "class_statistics").iterdir())
    assert kept == ["gta5", "synthia"]
    seen = [dataset[k]["source"]["data_samples"] for k in range(20)]
    assert {Path(each.img_path).parents[1].name for each in seen} == {"gta5", "synthia"}
    assert {each.rare_class for each in seen} <= set(KEPT)


def built(planned: plan.PlannedCell, root: Path, cache: Path) -> Any:
    """The training data set as the worker builds it, for images of a rehearsal's size."""
    from mmseg_ext.registry import DATASETS

    plugins.load(packages_of(planned.config))
    runtime = Runtime("cpu", 1, 0, DataRoots(root), cache, WeightsFolder(None))
    runner = for_this_machine(planned.config, CellPaths(cache, planned.cell), runtime)
    config = runner["train_dataloader"]["dataset"]
    for dataset in training_data.datasets(config):
        assert dataset["data_root"] == str(root / dataset["domain"])
        assert isinstance(step(dataset, "RandomCrop")["crop_size"], tuple)
        assert dataset["cache"] == str(cache / "training_images")
    # All classes alike, and few pixels are enough.
    config["rare_class_sampling"] |= {"temperature": 10.0, "min_pixels": 0, "min_crop_ratio": 0.0}
    init_default_scope("mmseg_ext")
    return DATASETS.build(Config({"dataset": config}, format_python_code=False).dataset)


def test_a_record_tells_the_files_of_every_source(small: suites.Suite, exported: Path) -> None:
    class Part:
        def __init__(self, domain: str, images: int) -> None:
            self.domain, self.images = domain, images

        def describe(self) -> dict[str, Any]:
            return {"layout": "official", "images": self.images}

    joined = SimpleNamespace(datasets=[Part("gta5", 3), Part("synthia", 2)])
    training = SimpleNamespace(source=joined, target=Part("cityscapes", 2))
    runner: Any = SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=training),
        test_loop=SimpleNamespace(dataloaders={}),
    )
    config = made(small, exported)["dacs"].config
    found = domain_record.facts(config, small.protocol, runner)["domains"]
    assert [found[name]["train"]["images"] for name in SETS] == [3, 2, 2]


def test_a_rehearsal_shrinks_every_source(
    small: suites.Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {"gta5", "synthia", "cityscapes"} <= {*rehearsal.datasets_of(small)}
    terms, weights = rehearsal.Terms(3, 2, 8), WeightsFolder(None)
    file = rehearsal.derived(small, tmp_path / "configs", terms, weights)
    monkeypatch.setenv("UDABENCH_CONFIGS", str(tmp_path / "configs"))
    registry.forget()
    for planned in made(suites.load(str(file)), None).values():
        for dataset in training_data.datasets(planned.config["train_dataloader"]["dataset"]):
            assert step(dataset, "RandomCrop")["crop_size"] == [64, 64]
            assert step(dataset, "Resize")["scale"][0] in (160, 128)


def test_the_report_names_the_sources_and_what_is_published_for_them(small: suites.Suite) -> None:
    grid = gather.from_plan(plan.make(small, small.path.parent / "out"))
    (shift,) = grid.shifts
    assert (shift.source, shift.title, shift.classes) == (
        "gta5+synthia",
        "GTA5 + SYNTHIA -> Cityscapes",
        16,
    )
    table = next(each for each in build(grid) if each.name == "comparison")
    published = {row.source for section in table.sections for row in section.rows if row.source}
    assert "Rein: w1oves/Rein:readme.md" in published

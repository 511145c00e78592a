"""What a record says of its domains, and what it keeps to itself."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmark import domain_record, plan, provenance, registry, suite, worker
from benchmark.data_roots import DataRoots
from benchmark.engines.verdict import Ending, conclude
from benchmark.errors import UdabenchError
from benchmark.paths import CellPaths
from benchmark.runtime import Runtime
from benchmark.weights import WeightsFolder

DESCRIBED = {"layout": "official", "images": 2}


class Dataset:
    """A data set that only says what it is."""

    def __init__(self, domain: str, groups: tuple[str | None, ...] = ()) -> None:
        self.domain, self.groups = domain, groups

    def describe(self) -> dict[str, Any]:
        return DESCRIBED


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    only = {"method": ["dacs"], "encoder": ["mit-b5"], "shift": ["gta5-cityscapes"]}
    (cell,) = plan.load("paper", tmp_path, seeds=1, only=only).due()
    return dict(cell.config)


def runner(target: Any) -> Any:
    loaders = {name: SimpleNamespace(dataset=Dataset(name)) for name in ("cityscapes", "mapillary")}
    training = SimpleNamespace(source=Dataset("gta5"), target=target)
    return SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=training),
        test_loop=SimpleNamespace(dataloaders=loaders),
    )


def test_files_of_every_domain_are_described_with_variant_and_preset(
    config: dict[str, Any],
) -> None:
    paper = suite.load("paper")
    found = domain_record.facts(config, paper.protocol, runner(Dataset("cityscapes")))["domains"]
    shared = {"evaluation": "daformer"}
    assert found["gta5"] == {
        "dataset": "gta5",
        "label_map": "default",
        "train": DESCRIBED,
        **shared,
    }
    assert found["cityscapes"]["train"] == found["cityscapes"]["test"] == DESCRIBED
    assert found["mapillary"]["dataset"] == "mapillary-v1.2"
    assert found["mapillary"]["label_map"] == "robustnet"
    assert "train" not in found["mapillary"]
    assert "test" not in found["gta5"]
    without = domain_record.facts(config, paper.protocol, runner(None))["domains"]
    assert "train" not in without["cityscapes"]


def test_generated_domains_leave_no_trace(tmp_path: Path) -> None:
    demo = suite.load("demo")
    cell = plan.load("demo", tmp_path).due()[0]
    source = SimpleNamespace(domain="minidrive-synthetic")
    made = SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=SimpleNamespace(source=source, target=None)),
        test_loop=SimpleNamespace(
            dataloaders={"minidrive-real": SimpleNamespace(dataset=SimpleNamespace())}
        ),
    )
    assert domain_record.facts(cell.config, demo.protocol, made) == {}


def test_scores_say_at_which_size_they_were_taken(config: dict[str, Any]) -> None:
    from mmseg_ext.evaluation import DomainScore

    counts = DomainScore(np.ones((2, 19, 19), np.int64))
    loaders = {"mapillary": SimpleNamespace(dataset=Dataset("mapillary"))}
    (plain,) = domain_record.metrics(config, {"mapillary": counts}, loaders).values()
    assert (plain.role, plain.notes) == ("unseen", ())
    pipeline = config["test_dataloader"]["mapillary"]["dataset"]["pipeline"]
    pipeline.insert(2, {"type": "HalveImageAndLabel"})
    (half,) = domain_record.metrics(config, {"mapillary": counts}, loaders).values()
    assert half.notes == ("scored on labels of half their size",)


def test_a_mean_of_conditions_that_the_layout_has_lost_is_noted(config: dict[str, Any]) -> None:
    from mmseg_ext.evaluation import DomainScore

    def notes(groups: tuple[str | None, ...]) -> tuple[str, ...]:
        loaders = {"acdc": SimpleNamespace(dataset=Dataset("acdc", groups))}
        counts = DomainScore(np.ones((2, 19, 19), np.int64))
        return domain_record.metrics(config, {"acdc": counts}, loaders)["acdc"].notes

    assert notes((None, None)) == ()
    config["scoring"] = {"mean": "per-condition"}
    assert notes(("fog", "rain")) == ("mean of the mIoU of fog, rain",)
    assert notes((None, None)) == ("pooled: the condition of an image is lost in this layout",)


def test_messages_name_no_folder_of_this_machine(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "disk/private/streets"
    monkeypatch.setenv("UDABENCH_DATA_ROOT_CITYSCAPES", str(own))
    acdc = registry.find("dataset", "acdc")
    other = dataclasses.replace(acdc, values={**acdc.values, "root": str(tmp_path / "mine/acdc")})
    find = registry.find
    monkeypatch.setattr(
        registry, "find", lambda kind, name: other if name == "acdc" else find(kind, name)
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "data")
    roots = DataRoots(tmp_path / "linked")
    runtime = Runtime("cpu", 1, 0, roots, tmp_path / "cache", WeightsFolder(None))
    error = UdabenchError(
        f"{own}/gtFine/x.png and {tmp_path}/mine/acdc/y.png and {tmp_path}/linked/gta5/z.png "
        f"and {tmp_path}/data/gta5/z.png"
    )
    message = worker._message(error, config, runtime)
    assert message == (
        "UdabenchError: <data-root>/cityscapes/gtFine/x.png and <data-root>/acdc/y.png and "
        "<data-root>/gta5/z.png and <data-root>/gta5/z.png"
    )
    assert "streets" not in provenance.scrub(str(error), roots.names(config))


def test_the_last_words_of_a_worker_name_no_data_folder(
    tmp_path: Path,
) -> None:
    only = {"method": ["dacs"], "encoder": ["mit-b5"], "shift": ["gta5-cityscapes"]}
    out = tmp_path / "results"
    (planned,) = plan.load("paper", out, seeds=1, only=only).due()
    paths = CellPaths(out / "paper", planned.cell)
    paths.folder.mkdir(parents=True)
    paths.log.write_text(f"udabench: {tmp_path}/disk/gta5/images: cannot be read\n")
    roots = DataRoots(tmp_path / "disk")
    ending = Ending(planned, paths, 1, None, "", 1.0, 1, None, data_roots=roots)
    conclude("paper", ending)
    (record,) = (out / "paper" / "records").glob("*.json")
    assert "<data-root>/gta5/images" in record.read_text()
    assert str(tmp_path) not in record.read_text()

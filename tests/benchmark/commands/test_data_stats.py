"""``udabench data stats``: the counts, and that training finds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import encodings_of as write
import numpy as np
import pytest

from benchmark import cli, domains, registry
from mmseg_ext.datasets import class_statistics, file_domain
from mmseg_ext.datasets.classes import CLASSES

IDS = [np.random.default_rng(seed).integers(0, 35, (16, 20), np.uint8) for seed in range(3)]
TRAIN_IDS = {7: 0, 8: 1, 11: 2, 26: 13}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    registry.forget()
    file_domain._scan.cache_clear()
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("UDABENCH_CONFIGS", raising=False)
    return tmp_path / "cache"


@pytest.fixture(params=["folder", "zip"])
def root(request: Any, tmp_path: Path) -> Path:
    files = {f"images/{i:05}.png": write.photo(16, 20, i) for i in range(3)}
    files |= {f"labels/{i:05}.png": write.palette(ids) for i, ids in enumerate(IDS)}
    if request.param == "zip":
        write.archive(tmp_path / "data/gta5/all.zip", files)
    else:
        write.tree(tmp_path / "data/gta5", files)
    return tmp_path / "data"


def stats(root: Path, *arguments: str) -> int:
    return cli.main(["data", "stats", *arguments, "--data-root", str(root), "--processes", "2"])


def test_the_counts_of_a_training_split(capsys: Any, root: Path) -> None:
    assert stats(root, "--json") == 0
    (report,) = json.loads(capsys.readouterr().out)["domains"]
    assert (report["domain"], report["label_map"], report["images"]) == ("gta5", "default", 3)
    labelled = sum(
        int((ids == raw).sum())
        for ids in IDS
        for raw in registry.find("dataset", "gta5").values["label_maps"]["default"]
    )
    for raw, train_id in TRAIN_IDS.items():
        found = report["classes"][train_id]
        pixels = sum(int((ids == raw).sum()) for ids in IDS)
        assert found["pixels"] == pixels
        assert found["images"] == sum(bool((ids == raw).any()) for ids in IDS)
        assert found["share"] == pytest.approx(pixels / labelled)
    assert stats(root, "gta5") == 0
    text = capsys.readouterr().out
    assert "gta5: 3 labels, label map default" in text
    assert len(text.strip().splitlines()) == 2 + 19


def test_training_finds_what_was_counted(
    capsys: Any, root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stats(root) == 0
    (kept,) = (cache / "class_statistics").iterdir()
    assert kept.name.startswith("gta5-")

    def count(*_: Any) -> None:
        raise AssertionError("counted again")

    monkeypatch.setattr(class_statistics, "_count", count)
    assert stats(root) == 0
    # The data set of a cell, as its configuration reaches the worker: through JSON.
    domain, protocol = registry.find("domain", "gta5"), registry.find("protocol", "daformer")
    crop = [{"type": "RandomFlip", "prob": 0.5}]
    config = json.loads(json.dumps(domains.trained(domain, protocol, crop, labelled=True)))
    for transform in config["pipeline"]:
        transform.update({k: tuple(v) for k, v in transform.items() if k == "scale"})
    from mmseg_ext.registry import DATASETS

    dataset = DATASETS.build({**config, "data_root": str(root / "gta5")})
    counts = class_statistics.class_pixels(dataset, cache / "class_statistics")
    assert counts.tolist() == np.load(kept).tolist()
    assert counts[0, 13] == (IDS[0] == 26).sum()


def test_a_changed_label_is_counted_again(capsys: Any, tmp_path: Path, cache: Path) -> None:
    for raw in (7, 8):
        file_domain._scan.cache_clear()
        files = {
            "images/00001.png": write.photo(16, 20),
            "labels/00001.png": write.palette(np.full((16, 20), raw, np.uint8)),
        }
        write.tree(tmp_path / "data/gta5", files)
        assert stats(tmp_path / "data", "--json") == 0
        (report,) = json.loads(capsys.readouterr().out)["domains"]
        assert report["classes"][TRAIN_IDS[raw]]["pixels"] == 320
        assert report["classes"][TRAIN_IDS[15 - raw]]["pixels"] == 0
    assert len(list((cache / "class_statistics").iterdir())) == 2


def test_a_broken_label_is_named(capsys: Any, tmp_path: Path) -> None:
    files = {"images/00001.png": write.photo(16, 20), "labels/00001.png": b"no label"}
    write.tree(tmp_path / "data/gta5", files)
    assert stats(tmp_path / "data") == 1
    assert "gta5/labels/00001.png: no PNG file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "reason"),
    [("wilddash2", "for scoring only"), ("dark-zurich", "its training images have no labels")],
)
def test_a_domain_without_training_labels(
    capsys: Any, tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "data" / name).mkdir(parents=True)
    assert stats(tmp_path / "data", name) == 1
    assert reason in capsys.readouterr().out
    assert stats(tmp_path / "data") == 1
    assert "none of the data sets that are there" in capsys.readouterr().out


def test_a_generated_domain_is_a_matter_of_usage(capsys: Any, tmp_path: Path) -> None:
    assert stats(tmp_path, "minidrive-fog") == 2
    assert "generated" in capsys.readouterr().err


def test_a_cache_that_cannot_be_written_is_named(capsys: Any, root: Path, cache: Path) -> None:
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("a file where the folder should be")
    assert stats(root, "gta5") == 1
    assert "UDABENCH_CACHE" in "".join(capsys.readouterr())


def test_the_sources_of_a_shift_are_counted_together(capsys: Any, tmp_path: Path) -> None:
    root = tmp_path / "data"
    write.tree(
        root / "gta5",
        {f"images/{i:05}.png": write.photo(16, 20, i) for i in range(3)}
        | {f"labels/{i:05}.png": write.palette(ids) for i, ids in enumerate(IDS)},
    )
    synthia = [np.random.default_rng(9 + i).integers(0, 23, (16, 20), np.uint16) for i in range(2)]
    raw = [np.dstack([np.zeros_like(ids), np.zeros_like(ids), ids]) for ids in synthia]
    labels = [bytes(cv2.imencode(".png", each)[1]) for each in raw]
    write.tree(
        root / "synthia",
        {f"RGB/{i:07}.png": write.photo(16, 20, i) for i in range(2)}
        | {f"GT/LABELS/{i:07}.png": each for i, each in enumerate(labels)},
    )
    assert stats(root, "synthia", "gta5", "--json") == 0
    (union,) = json.loads(capsys.readouterr().out)["unions"]
    assert (union["shift"], union["images"]) == ("gta5-synthia-cityscapes", 5)
    assert union["domains"] == ["gta5", "synthia"]
    tables = [registry.find("dataset", n).values["label_maps"]["default"] for n in union["domains"]]
    kept = set(registry.find("shift", "gta5-synthia-cityscapes").values["classes"])
    pixels = {name: [0, 0] for name in kept}
    for table, maps in zip(tables, (IDS, synthia), strict=True):
        for ids in maps:
            for name in kept:
                of_class = [r for r, train_id in table.items() if CLASSES[train_id] == name]
                found = int(np.isin(ids, of_class).sum())
                pixels[name] = [pixels[name][0] + found, pixels[name][1] + bool(found)]
    total = sum(found for found, _ in pixels.values())
    for each in union["classes"]:
        expected, images = pixels.get(each["name"], (0, 0))
        assert (each["pixels"], each["images"]) == (expected, images)
        assert each["share"] == pytest.approx(expected / total)
    assert stats(root, "gta5") == 0
    assert "trains on them" not in capsys.readouterr().out
    assert stats(root, "synthia", "gta5") == 0
    said = capsys.readouterr().out
    assert "gta5 + synthia: 5 labels, as gta5-synthia-cityscapes trains on them" in said

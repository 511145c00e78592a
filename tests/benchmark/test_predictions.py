"""Predictions of a trained cell as files: those that were scored, and those of hidden splits."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmark import cli, data, examples, paths, plan, records, registry
from benchmark import suite as suites
from benchmark.data_roots import DataRoots
from benchmark.minidrive_export import export as export_minidrive
from benchmark.records import Record
from benchmark.runtime import Runtime

CELL = "dacs__eva02-mini__there__seed0"
# Cityscapes' own table: label id of each train id.
IDS = (7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33)
ROUNDED = """
evaluation = dict(
    mode="slide", crop_size=(32, 64), stride=(24, 40), batch_size=3, scale=(104, 52)
)
"""
SHIFT = """
card = dict(title="There", summary="A shift with a downloaded unseen domain.")
source = "minidrive-synthetic"
target = "minidrive-real"
unseen = ["cityscapes"]
"""


@dataclass(frozen=True)
class Trained:
    """A trained cell: its results and where the exported Cityscapes lies."""

    out: Path
    data_root: Path
    record: Record

    @property
    def folder(self) -> Path:
        return self.out / "there"

    @property
    def weights(self) -> Path:
        return self.folder / "cells" / CELL / "weights.pth"

    def export(self, *arguments: str, domain: str = "minidrive-real") -> int:
        return cli.main(
            [
                *("export", "predictions", "there", "--cell", CELL, "--domain", domain),
                *("--iterations", "2", "--out", str(self.out), *arguments),
                *("--data-root", str(self.data_root)),
            ]
        )


@pytest.fixture(scope="module")
def trained(tiny: Path) -> Trained:
    """A cell of two iterations whose scoring resizes images and slides windows over them."""
    from benchmark import worker

    configs = tiny / "configs"
    protocol = (configs / "protocols/minidrive.py").read_text(encoding="utf-8")
    (configs / "protocols/rounded.py").write_text(protocol + ROUNDED, encoding="utf-8")
    (configs / "shifts/there.py").write_text(SHIFT, encoding="utf-8")
    (configs / "suites/there.yaml").write_text(
        "title: There\nprotocol: rounded\nmethods: [dacs]\nencoders: [eva02-mini]\n"
        "shifts: [there]\nseeds: [0]\n",
        encoding="utf-8",
    )
    registry.forget()
    export_minidrive("cityscapes", tiny / "data", images=4, size=(160, 80))
    suite, roots = suites.load("there"), DataRoots(tiny / "data")
    planned = plan.one(suite, tiny / "out", CELL, 2, _files(tiny / "data"))
    data.prepare([planned])
    runtime = Runtime("cpu", 1, 0, roots, paths.cache_root())
    record = worker.run_cell(planned, suite, tiny / "out/there", runtime)
    assert record.state == "done", record.failure
    return Trained(tiny / "out", tiny / "data", record)


def _files(root: Path) -> Any:
    from benchmark.data_fingerprint import DataFiles

    return DataFiles(DataRoots(root))


def read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path))


def train_ids(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    table = np.full(256, 255, np.uint8)
    for train_id, label in enumerate(IDS):
        table[label] = train_id
    return table[labels]


def counted(truth: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Confusion counts one pixel at a time."""
    counts = np.zeros((19, 19), np.int64)
    np.add.at(counts, (truth[truth != 255], predicted[truth != 255]), 1)
    return counts


def scored(trained: Trained, domain: str) -> NDArray[np.int64]:
    with np.load(trained.folder / trained.record.diagnostics["confusion"]["file"]) as counts:
        found: NDArray[np.int64] = counts[domain]
    return found


def test_exported_predictions_are_those_that_were_scored(trained: Trained, tmp_path: Path) -> None:
    assert trained.export("--to", str(tmp_path / "to"), "--colour") == 0
    (world,) = (paths.cache_root() / "minidrive").iterdir()
    labels = sorted((world / "real/test/labels").iterdir())
    expected = scored(trained, "minidrive-real")
    assert len(labels) == len(expected) == 4
    for path, counts in zip(labels, expected, strict=True):
        written = read(tmp_path / "to/labelIds" / path.name)
        assert set(np.unique(written)) <= set(IDS)
        np.testing.assert_array_equal(counted(read(path), train_ids(written)), counts)
        colours = read(tmp_path / "to/colour" / path.name)
        np.testing.assert_array_equal(colours, train_ids(written))


def test_cityscapes_files_are_scored_alike_and_at_their_own_size(
    trained: Trained, tmp_path: Path
) -> None:
    """Against the data set's own label files, which the command has not opened."""
    assert trained.export("--to", str(tmp_path), domain="cityscapes") == 0
    truths = sorted((trained.data_root / "cityscapes/gtFine/val").rglob("*_labelIds.png"))
    expected = scored(trained, "cityscapes")
    assert len(truths) == len(expected) == 4
    for path, counts in zip(truths, expected, strict=True):
        frame = path.name.removesuffix("_gtFine_labelIds.png")
        (found,) = (tmp_path / "labelIds").glob(f"{frame}*.png")
        written = read(found)
        assert written.shape == (80, 160)
        np.testing.assert_array_equal(counted(train_ids(read(path)), train_ids(written)), counts)
    manifest = json.loads((tmp_path / "export.json").read_text())
    assert manifest["identity"] == trained.record.identity.id
    assert (manifest["split"], manifest["layout"]) == ("val", "cityscapes")


def test_a_hidden_split_is_packed_for_its_server(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = trained.data_root / "cityscapes/leftImg8bit/test"
    shutil.rmtree(trained.data_root / "cityscapes/gtFine/test", ignore_errors=True)
    arguments = ("--split", "test", "--to", str(tmp_path / "to"), "--zip")
    assert trained.export(*arguments, domain="cityscapes") == 0
    assert "layout cityscapes" in capsys.readouterr().out
    frames = [path.name.removesuffix("_leftImg8bit.png") for path in sorted(test.rglob("*.png"))]
    with zipfile.ZipFile(tmp_path / "to/submission.zip") as packed:
        assert packed.namelist() == [f"{frame}_labelIds.png" for frame in frames]
        for name in packed.namelist():
            assert packed.read(name) == (tmp_path / "to/labelIds" / name).read_bytes()
    before = (tmp_path / "to/submission.zip").read_bytes()
    assert trained.export(*arguments, domain="cityscapes") == 0
    assert (tmp_path / "to/submission.zip").read_bytes() == before


def test_acdc_goes_into_the_folder_that_its_server_wants(trained: Trained, tmp_path: Path) -> None:
    export_minidrive("acdc", tmp_path / "data", images=1, size=(96, 54))
    arguments = ("--split", "test", "--to", str(tmp_path / "to"), "--zip")
    other = Trained(trained.out, tmp_path / "data", trained.record)
    assert other.export(*arguments, domain="acdc") == 0
    with zipfile.ZipFile(tmp_path / "to/submission.zip") as packed:
        names = packed.namelist()
    images = (tmp_path / "data/acdc/rgb_anon").glob("*/test/*/*_rgb_anon.png")
    assert sorted(name.rpartition("/")[2] for name in names) == sorted(each.name for each in images)
    assert names
    for name in names:
        assert name.startswith("labelTrainIds/")
        assert name.endswith("_rgb_anon.png")
        written = read(tmp_path / "to" / name)
        assert written.shape == (54, 96)
        assert written.max() < 19


def test_what_is_there_is_kept_and_what_is_missing_is_made(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained.export("--to", str(tmp_path / "to")) == 0
    files = sorted((tmp_path / "to/labelIds").iterdir())
    first, kept = files[0].read_bytes(), files[3].stat().st_mtime_ns
    files[0].unlink()
    (tmp_path / "to/labelIds/.x.png.1.tmp").write_bytes(b"half")
    capsys.readouterr()
    assert trained.export("--to", str(tmp_path / "to")) == 0
    assert "4 predictions (1 new, 3 kept)" in capsys.readouterr().out
    assert files[0].read_bytes() == first
    assert sorted((tmp_path / "to/labelIds").iterdir()) == files
    assert files[3].stat().st_mtime_ns == kept  # the last batch, of which nothing was missing


def test_a_folder_with_anything_else_is_left_alone(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.tex").write_text("x")
    assert trained.export("--to", str(tmp_path / "thesis")) == 1
    assert "not empty and has no export.json" in capsys.readouterr().err
    assert trained.export("--to", str(tmp_path / "to")) == 0
    assert trained.export("--to", str(tmp_path / "to"), "--split", "train") == 1
    assert "holds other predictions" in capsys.readouterr().err


def test_bad_requests_are_named(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = ("--to", str(tmp_path / "to"))
    for arguments, domain, message in (
        (("--split", "val"), "minidrive-real", "unknown split of minidrive-real 'val'"),
        (("--split", "tets"), "cityscapes", "closest: 'test'"),
        ((), "cityscape", "closest: 'cityscapes'"),
        ((), "gta5", "domain gta5 has no images to test on"),
        (("--layout", "cityscapes"), "minidrive-real", "expected image names such as berlin_"),
    ):
        assert trained.export(*to, *arguments, domain=domain) in (1, 2)
        assert message in capsys.readouterr().err
    assert not (tmp_path / "to").exists()


def test_weights_must_be_those_of_the_record(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    to = ("--to", str(tmp_path / "to"))
    whole = trained.weights.read_bytes()
    try:
        weights = torch.load(trained.weights, weights_only=True)
        next(iter(weights.values())).view(-1)[0] += 1
        torch.save(weights, trained.weights)
        assert trained.export(*to) == 1
        assert "they are of another run of the cell" in capsys.readouterr().err
        trained.weights.write_bytes(whole[: len(whole) // 2])
        assert trained.export(*to) == 1
        assert "not a whole file of weights" in capsys.readouterr().err
        trained.weights.unlink()
        assert trained.export(*to) == 1
        assert "the cell's weights are not here" in capsys.readouterr().err
    finally:
        trained.weights.write_bytes(whole)
    assert not (tmp_path / "to").exists()


def test_a_cell_that_is_not_done_has_nothing_to_export(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another training length makes another cell: its record is stale."""
    arguments = ["--cell", CELL, "--domain", "minidrive-real", "--to", str(tmp_path / "to")]
    command = ["export", "predictions", "there", *arguments, "--out", str(trained.out)]
    assert cli.main([*command, "--iterations", "3"]) == 2
    assert "is stale: " in capsys.readouterr().err


def test_examples_of_the_worker_are_made_again_from_the_weights(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = trained.folder / examples.FOLDER
    files = {path.relative_to(made): path.read_bytes() for path in made.rglob("*.*")}
    # Two images of three domains, each with label and prediction, and one file that lists them.
    assert len(files) == 3 * 2 * 3 + 1
    found = examples.read(trained.folder, trained.record.cell, trained.record.identity.id)
    assert {each.domain for each in found} == {
        "minidrive-synthetic",
        "minidrive-real",
        "cityscapes",
    }
    command = ["export", "examples", "there", "--out", str(trained.out), "--iterations", "2"]
    command += ["--data-root", str(trained.data_root)]
    assert cli.main(command) == 0
    assert "examples of 1 cells (0 new, 1 kept)" in capsys.readouterr().out
    shutil.rmtree(made)
    assert cli.main(command) == 0
    assert "(1 new, 0 kept)" in capsys.readouterr().out
    assert {path.relative_to(made): path.read_bytes() for path in made.rglob("*.*")} == files


def test_examples_show_image_label_and_prediction_of_one_size(trained: Trained) -> None:
    (world,) = (paths.cache_root() / "minidrive").iterdir()
    for each in examples.read(trained.folder, trained.record.cell, trained.record.identity.id):
        truth = read(each.folder / examples.TRUTH)
        picture = Image.open(each.folder / examples.IMAGE)
        shown = read(each.folder / f"{CELL}.png")
        assert shown.shape == truth.shape == (picture.height, picture.width)
        if each.domain == "minidrive-real":
            np.testing.assert_array_equal(
                truth, read(world / f"real/test/labels/{each.image_id}.png")
            )


def test_examples_that_cannot_be_written_do_not_fail_the_cell(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from benchmark import worker

    def broken(*_: object) -> int:
        raise OSError("no space left")

    monkeypatch.setattr(examples, "write", broken)
    suite = suites.load("there")
    planned = plan.one(suite, tmp_path, CELL, 2, _files(trained.data_root))
    runtime = Runtime("cpu", 1, 0, DataRoots(trained.data_root), paths.cache_root())
    record = worker.run_cell(planned, suite, tmp_path / "there", runtime)
    assert record.state == "done"
    assert records.read_record(paths.CellPaths(tmp_path / "there", record.cell).record) == record
    shown = capsys.readouterr()
    assert "examples for the report could not be written" in shown.out
    assert "no space left" in shown.err

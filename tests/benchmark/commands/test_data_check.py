"""``udabench data check`` on small data sets with real encodings and every kind of damage."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import encodings_of as write
import numpy as np
import pytest
from PIL import Image

from benchmark import cli, paths, registry
from mmseg_ext.datasets import inspection

IDS = np.repeat(np.arange(35, dtype=np.uint8)[None], 24, axis=0)  # 24x35, every id of GTA5
HEIGHT, WIDTH = IDS.shape


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    registry.forget()
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("UDABENCH_DATA_ROOT", raising=False)
    monkeypatch.delenv("UDABENCH_CONFIGS", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with five whole samples of GTA5, in folders."""
    return gta5(tmp_path / "data")


def gta5(root: Path, count: int = 5) -> Path:
    for index in range(1, count + 1):
        files = {
            f"images/{index:05}.png": write.photo(HEIGHT, WIDTH, index),
            f"labels/{index:05}.png": write.palette(np.roll(IDS, index, axis=1)),
        }
        write.tree(root / "gta5", files)
    return root


def cityscapes(root: Path, split: str, *, labels: bool = True) -> None:
    base = f"{split}/ulm/ulm_000000_000019"
    files = {f"leftImg8bit/{base}_leftImg8bit.png": write.photo(HEIGHT, WIDTH)}
    if labels:
        files[f"gtFine/{base}_gtFine_labelIds.png"] = write.grey(IDS % 34)
    write.tree(root / "cityscapes", files)


def check(capsys: pytest.CaptureFixture[str], root: Path, *names: str) -> tuple[int, str]:
    code = cli.main(["data", "check", *names, "--data-root", str(root), "--processes", "1"])
    return code, capsys.readouterr().out


def report_of(
    capsys: pytest.CaptureFixture[str], root: Path, name: str = "gta5"
) -> tuple[int, dict[str, Any]]:
    code = cli.main(["data", "check", name, "--data-root", str(root), "--processes", "1", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["ready"] == (code == 0)
    return code, found["domains"][0]


def problems(report: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """Level and sentences of each kind of problem, without those of a small test set."""
    kinds = {**report["problems"]}
    for split in report["splits"]:
        kinds |= split["problems"]
    usual = ("fewer images than published", "image of another size than published")
    return {k: (p["level"], p["examples"]) for k, p in kinds.items() if k not in usual}


def test_whole_files_are_ready(capsys: Any, root: Path) -> None:
    code, report = report_of(capsys, root)
    assert (code, problems(report)) == (0, {})
    (train,) = report["splits"]
    assert (train["layout"], train["images"], train["labels"]) == ("official", 5, 5)
    assert train["published"] == 24966
    assert train["problems"]["fewer images than published"]["level"] == "warning"
    assert train["image_sizes"] == train["label_sizes"] == {"35x24": 5}
    assert train["image_modes"] == {"PNG RGB 8": 5}
    assert train["label_modes"] == {"PNG palette 8": 5}
    # Each of 35 ids has one column, 19 of them are a class.
    assert train["shares"] == {name: pytest.approx(1 / 19) for name in train["shares"]}
    assert len(train["shares"]) == 19
    assert train["ignored"] == pytest.approx(16 / 35)
    assert train["never_seen"] == []
    assert "packages" in report["download"]


def test_the_text_is_for_people(capsys: Any, root: Path) -> None:
    code, text = check(capsys, root, "gta5")
    assert code == 0
    assert "train     5 of 24,966 images, 5 labels, layout official" in text
    assert "download.visinf.tu-darmstadt.de" in text
    assert text.rstrip().endswith("ready")
    assert max(map(len, text.splitlines())) <= max(100, len(f"gta5  {root}/gta5"))


def exif() -> bytes:
    stream = io.BytesIO()
    metadata = Image.Exif()
    metadata[0x0112] = 6
    pixels = cv2.imdecode(np.frombuffer(write.photo(HEIGHT, WIDTH), np.uint8), cv2.IMREAD_COLOR)
    Image.fromarray(pixels).save(stream, "png", exif=metadata)
    return stream.getvalue()


def flipped(content: bytes) -> bytes:
    damaged = bytearray(content)
    damaged[len(damaged) // 2] ^= 4
    return bytes(damaged)


GOOD_IMAGE, GOOD_LABEL = write.photo(HEIGHT, WIDTH), write.palette(IDS)
DAMAGE: dict[str, tuple[str, bytes, str, str]] = {
    "empty image": ("images", b"", "unreadable image", "error"),
    "truncated image": ("images", GOOD_IMAGE[:-40], "unreadable image", "error"),
    "a bit of an image": ("images", flipped(GOOD_IMAGE), "unreadable image", "error"),
    "text": ("images", b"<html>404</html>", "unreadable image", "error"),
    "blank": ("images", write.rgb(np.full_like(IDS, 9)), "blank image", "warning"),
    "turned": ("images", exif(), "image with an orientation", "warning"),
    "empty label": ("labels", b"", "unreadable label", "error"),
    "a bit of a label": ("labels", flipped(GOOD_LABEL), "unreadable label", "error"),
    "JPEG": ("labels", write.photo(HEIGHT, WIDTH, suffix=".jpg"), "unreadable label", "error"),
    "by colour": ("labels", GOOD_IMAGE, "invalid label", "error"),
    "converted": ("labels", write.grey(np.full_like(IDS, 255)), "invalid label", "error"),
    "void": ("labels", write.palette(np.zeros_like(IDS)), "label without a class", "warning"),
    "transposed": ("labels", write.palette(IDS.T.copy()), "transposed label", "error"),
    "other size": ("labels", write.palette(IDS[:-1]), "resized label", "note"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_each_kind_of_damage(capsys: Any, root: Path, name: str) -> None:
    part, content, kind, level = DAMAGE[name]
    (root / f"gta5/{part}/00003.png").write_bytes(content)
    code, report = report_of(capsys, root)
    assert set(problems(report)) == {kind}
    found_level, (sentence,) = problems(report)[kind]
    assert found_level == level
    assert sentence.startswith(f"{part}/00003.png: ")
    assert str(root) not in sentence
    assert code == (1 if level == "error" else 0)
    code, text = check(capsys, root, "gta5")
    assert f"{level}: train: {kind} (1)" in text
    assert ("NOT READY" in text) == (code == 1)


def test_a_label_of_another_size_stops_where_sizes_must_be_equal(capsys: Any, root: Path) -> None:
    cityscapes(root, "train")
    cityscapes(root, "val")
    label = root / "cityscapes/gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png"
    label.write_bytes(write.grey(IDS[:-1] % 34))
    code, report = report_of(capsys, root, "cityscapes")
    assert code == 1
    assert [split["usable"] for split in report["splits"]] == [True, False]
    assert problems(report)["label of another size"][1] == [
        f"{label.relative_to(root / 'cityscapes').as_posix()}: 35x23 for an image of 35x24"
    ]


def test_what_is_missing_orphaned_or_there_twice(capsys: Any, root: Path) -> None:
    folder = root / "gta5"
    (folder / "labels/00001.png").unlink()
    (folder / "images/00002.png").unlink()
    write.archive(folder / "03_images.zip", {"images/00003.png": GOOD_IMAGE})
    (folder / "04_images.zip").write_bytes(b"PK\x03\x04 only the beginning")
    (folder / "labels/00009.png").symlink_to("nowhere.png")
    write.tree(folder, {"05_images.rar": b""})
    code, report = report_of(capsys, root)
    assert code == 1
    found = problems(report)
    assert found["image without a label"] == ("error", ["images/00001.png"])
    assert found["label without an image"] == ("warning", ["labels/00002.png"])
    assert found["file there twice"] == ("warning", ["03_images.zip/images/00003.png"])
    assert found["damaged archive"][0] == "error"
    assert found["unusable name or link"][0] == "warning"
    assert found["archive to be unpacked"] == ("warning", ["05_images.rar"])


def test_many_problems_are_counted_and_a_few_shown(capsys: Any, tmp_path: Path) -> None:
    root = gta5(tmp_path / "data", 9)
    for path in (root / "gta5/images").iterdir():
        path.write_bytes(b"")
    code, text = check(capsys, root, "gta5")
    assert code == 1
    assert "error: train: unreadable image (9)" in text
    assert text.count("not a whole image file") == 5
    assert "    and 4 more" in text


def test_known_bad_files_are_left_out_and_counted(capsys: Any, root: Path) -> None:
    write.tree(root / "gta5", {"images/15188.png": b"", "labels/15188.png": GOOD_LABEL})
    code, report = report_of(capsys, root)
    assert (code, problems(report)) == (0, {})
    assert (report["splits"][0]["images"], report["splits"][0]["excluded"]) == (6, 1)
    assert report["excluded"]["15188"] == "blank image with a good label"
    _, text = check(capsys, root, "gta5")
    assert "left out  1 known to be bad: blank image with a good label" in text


def test_nothing_there_says_what_to_download(capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "data/gta5").mkdir(parents=True)
    for present in (True, False):
        if not present:
            (tmp_path / "data/gta5").rmdir()
        code, text = check(capsys, tmp_path / "data", "gta5")
        assert code == 1
        assert "01_images.zip" in text
        assert "NOT READY" in text
        code, report = report_of(capsys, tmp_path / "data")
        assert report["is_there"] is present
        kind = "nothing found" if present else "no folder"
        assert set(problems(report)) == {kind}


def test_training_images_without_labels_can_be_a_target(capsys: Any, root: Path) -> None:
    cityscapes(root, "train", labels=False)
    cityscapes(root, "val")
    code, report = report_of(capsys, root, "cityscapes")
    assert code == 0
    assert problems(report)["no labels at all"][0] == "warning"
    (root / "cityscapes/gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png").unlink()
    code, report = report_of(capsys, root, "cityscapes")
    assert code == 1
    assert "nothing found" in problems(report)
    # GTA5 has no other use than to be trained on with its labels.
    for label in (root / "gta5/labels").iterdir():
        label.unlink()
    code, report = report_of(capsys, root)
    assert code == 1
    assert "none of their labels" in problems(report)["nothing found"][1][0]


def test_panoptic_labels(capsys: Any, tmp_path: Path) -> None:
    numbers = (IDS % 3).astype(np.uint8)
    info = [{"id": 1, "category_id": 7}, {"id": 2, "category_id": 26}]
    document = {"annotations": [{"file_name": "a.png", "segments_info": info}]}
    files = {
        "images/a.jpg": write.photo(HEIGHT, WIDTH, suffix=".jpg"),
        "panoptic/a.png": write.rgb(numbers),
        "panoptic.json": json.dumps(document).encode(),
    }
    write.tree(tmp_path / "data/wilddash2", files)
    code, report = report_of(capsys, tmp_path / "data", "wilddash2")
    assert (code, problems(report)) == (0, {})
    (test,) = report["splits"]
    assert set(test["shares"]) == {"road", "car"}
    # The log must not answer for another version of the panoptic file.
    info[1]["category_id"] = 24
    write.tree(tmp_path / "data/wilddash2", {"panoptic.json": json.dumps(document).encode()})
    _, report = report_of(capsys, tmp_path / "data", "wilddash2")
    assert set(report["splits"][0]["shares"]) == {"road", "person"}
    write.tree(tmp_path / "data/wilddash2", {"panoptic.json": b"{"})
    code, report = report_of(capsys, tmp_path / "data", "wilddash2")
    assert code == 1
    (sentence,) = problems(report)["unreadable list of files or segments"][1]
    assert "panoptic.json: not a COCO panoptic file" in sentence


def test_labels_that_were_converted_before_and_have_no_void(capsys: Any, root: Path) -> None:
    for index in range(1, 6):
        converted = np.roll(IDS % 19, index, axis=1)  # train ids; each of them is an id of GTA5 too
        write.tree(root / "gta5", {f"labels/{index:05}.png": write.palette(converted)})
    code, report = report_of(capsys, root, "gta5")
    assert code == 1
    level, _ = problems(report)["labels that look like train ids"]
    assert level == "error"
    write.tree(root / "gta5", {"labels/00001.png": write.palette(IDS)})
    code, report = report_of(capsys, root, "gta5")
    assert code == 0
    assert "labels that look like train ids" not in problems(report)


def test_train_ids_are_no_fault_where_they_are_what_is_published(
    capsys: Any, tmp_path: Path
) -> None:
    for split in ("train", "val"):
        files = {
            f"images/10k/{split}/a.jpg": write.photo(HEIGHT, WIDTH),
            f"labels/sem_seg/masks/{split}/a.png": write.grey(IDS % 19),
        }
        write.tree(tmp_path / "bdd100k", files)
    code, _ = report_of(capsys, tmp_path, "bdd100k")
    assert code == 0


def test_without_names_all_that_are_there_are_checked(capsys: Any, root: Path) -> None:
    cityscapes(root, "train")
    cityscapes(root, "val")
    code, text = check(capsys, root)
    assert code == 0
    assert text.rstrip().endswith("2 of 2 domains are ready")
    code = cli.main(["data", "check", "--data-root", str(root / "nowhere")])
    assert code == 1
    error = capsys.readouterr().err
    assert "no data set is there" in error
    assert " mapillary," in error
    assert "mapillary-v1.2" not in error  # its folder is called otherwise


@pytest.mark.parametrize("name", ["minidrive-fog", "gta"])
def test_what_cannot_be_checked_is_a_matter_of_usage(capsys: Any, root: Path, name: str) -> None:
    assert cli.main(["data", "check", name, "--data-root", str(root)]) == 2
    assert name in capsys.readouterr().err
    assert cli.main(["data", "check", "gta5"]) == 2
    assert "--data-root" in capsys.readouterr().err


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    original = inspection.inspect

    def inspect(root: str, subject: Any, rules: Any) -> Any:
        calls.append(subject.image)
        return original(root, subject, rules)

    monkeypatch.setattr(inspection, "inspect", inspect)
    return calls


def test_only_what_changed_is_read_again(
    capsys: Any, root: Path, monkeypatch: Any, cache: Path
) -> None:
    calls = counted(monkeypatch)
    first = report_of(capsys, root)
    assert len(calls) == 5
    assert report_of(capsys, root) == first
    assert len(calls) == 5
    (root / "gta5/labels/00002.png").write_bytes(b"")
    assert report_of(capsys, root)[0] == 1
    assert calls[5:] == ["images/00002.png"]
    # Elsewhere the same files are known too.
    os.rename(root, root.with_name("moved"))
    assert report_of(capsys, root.with_name("moved"))[0] == 1
    assert len(calls) == 6
    assert not list((root.with_name("moved")).rglob("*.log"))


def test_a_log_that_was_cut_short_or_changed_is_no_harm(
    capsys: Any, root: Path, monkeypatch: Any, cache: Path
) -> None:
    first = report_of(capsys, root)
    (log,) = (cache / "data_check").iterdir()
    lines = log.read_bytes().splitlines(keepends=True)
    assert len(lines) == 5
    changed = lines[1].replace(b"35", b"36", 1)
    log.write_bytes(lines[0] + changed + b"\xff\0nonsense\n\n" + lines[2] + lines[3][:-30])
    calls = counted(monkeypatch)
    assert report_of(capsys, root) == first
    assert sorted(calls) == ["images/00002.png", "images/00004.png", "images/00005.png"]
    assert report_of(capsys, root) == first
    assert len(calls) == 3


def test_a_log_of_data_that_often_changed_is_shortened(
    capsys: Any, root: Path, cache: Path
) -> None:
    report_of(capsys, root)
    (log,) = (cache / "data_check").iterdir()
    line = log.read_bytes().splitlines(keepends=True)[0]
    log.write_bytes(line * 3000)
    report_of(capsys, root)
    assert len(log.read_bytes().splitlines()) == 5


def test_a_cache_that_cannot_be_written_is_named(capsys: Any, root: Path, cache: Path) -> None:
    cache.write_text("a file in its place")
    assert cli.main(["data", "check", "gta5", "--data-root", str(root), "--processes", "1"]) == 1
    assert "UDABENCH_CACHE" in capsys.readouterr().err


def test_an_interrupt_loses_nothing(capsys: Any, root: Path, cache: Path) -> None:
    count = 40
    gta5(root, count)
    large = write.photo(1000, 1300)  # large enough to take a while
    for index in range(1, count + 1):
        (root / f"gta5/images/{index:05}.png").write_bytes(large)
    command = [sys.executable, "-m", "benchmark", "data", "check", "gta5", "--data-root", str(root)]
    process = subprocess.Popen(
        [*command, "--processes", "2"],
        cwd=paths.PACKAGE.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    logs: list[Path] = []
    while time.monotonic() < end and not any(path.stat().st_size for path in logs):
        time.sleep(0.02)
        logs = list((cache / "data_check").glob("*.log"))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, the workers too
    begun = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - begun < 10
    assert process.returncode == 130, errors
    assert errors.decode().splitlines()[-1] == "udabench: interrupted"
    assert b"Traceback" not in errors
    kept = len(logs[0].read_bytes().splitlines())
    assert 8 <= kept < count
    _, report = report_of(capsys, root)
    assert report["splits"][0]["images"] == count
    assert len(logs[0].read_bytes().splitlines()) == count


def test_worker_processes_and_this_one_find_the_same(capsys: Any, root: Path, cache: Path) -> None:
    gta5(root, 20)
    (root / "gta5/labels/00007.png").write_bytes(b"")
    alone = report_of(capsys, root)
    (log,) = (cache / "data_check").iterdir()
    log.unlink()
    code = cli.main(
        ["data", "check", "gta5", "--data-root", str(root), "--processes", "2", "--json"]
    )
    assert (code, json.loads(capsys.readouterr().out)["domains"][0]) == alone


def test_inspecting_needs_no_torch() -> None:
    script = (
        "import sys, mmseg_ext.datasets.inspection, mmseg_ext.datasets.inspection_log, "
        "mmseg_ext.datasets.processes, mmseg_ext.datasets.panoptic; "
        "print({'torch', 'mmcv', 'mmengine'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout.strip() == "set()", found.stderr

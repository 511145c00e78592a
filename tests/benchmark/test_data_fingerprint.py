"""Data fingerprints: a changed label makes the cells stale that read it, a moved folder none."""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from pathlib import Path

import pytest

from benchmark import data_fingerprint, plan
from benchmark import suite as suites
from benchmark.data_fingerprint import DataFiles
from benchmark.data_roots import DataRoots
from benchmark.plan import Plan
from benchmark.records import Record, write_record
from benchmark.suite import Suite

CONFIGS = Path(__file__).parents[2] / "configs"
OLD = 1_500_000_000
CITY = "aachen/aachen_000000_000019"
FILES = [
    *(f"gta5/{kind}/0000{n}.png" for kind in ("images", "labels") for n in (1, 2, 3)),
    *(f"cityscapes/leftImg8bit/{split}/{CITY}_leftImg8bit.png" for split in ("train", "val")),
    *(f"cityscapes/gtFine/{split}/{CITY}_gtFine_labelIds.png" for split in ("train", "val")),
]
SOURCE_LABEL = "gta5/labels/00002.png"
TRAIN_LABEL = f"cityscapes/gtFine/train/{CITY}_gtFine_labelIds.png"
TEST_LABEL = f"cityscapes/gtFine/val/{CITY}_gtFine_labelIds.png"


def put(path: Path, content: bytes) -> None:
    """Write a file that looks as if it had been there for long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (OLD, OLD))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """GTA5 and Cityscapes with a few files; nobody decodes them here."""
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    for name in FILES:
        put(tmp_path / "data" / name, f"content of {name}".encode())
    shutil.copytree(CONFIGS, tmp_path / "configs")
    card = 'card = dict(title="t", summary="s")\n'
    shift = f'{card}source, target, unseen = "gta5", "cityscapes", []\n'
    (tmp_path / "configs" / "shifts" / "small.py").write_text(shift)
    monkeypatch.setenv("UDABENCH_CONFIGS", str(tmp_path / "configs"))
    return tmp_path / "data"


@pytest.fixture
def suite(tmp_path: Path, root: Path) -> Suite:
    lines = ["title: Real", "protocol: daformer", "methods: [source-only, dacs, oracle]"]
    lines += ["encoders: [resnet-mini]", "shifts: [small]", "seeds: [0]"]
    (tmp_path / "real.yaml").write_text("\n".join(lines))
    return suites.load(str(tmp_path / "real.yaml"))


def make(suite: Suite, root: Path | None) -> Plan:
    return plan.make(suite, suite.path.parent / "out", files=DataFiles(DataRoots(root)))


@pytest.fixture
def done(suite: Suite, root: Path) -> Suite:
    """The suite with a done record of every cell."""
    planned = make(suite, root)
    for entry in planned.entries:
        assert entry.identity
        assert None not in entry.identity.domains.values()
        write_record(planned.folder, Record("real", entry.cell, entry.identity, "done"))
    assert make(suite, root).counts() == {"done": 3}
    return suite


def stale(planned: Plan) -> dict[str, str]:
    return {each.cell.method: each.reason for each in planned.entries if each.state == "stale"}


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (SOURCE_LABEL, {"source-only": "gta5", "dacs": "gta5"}),
        (TRAIN_LABEL, {"oracle": "cityscapes"}),
        (TEST_LABEL, dict.fromkeys(("source-only", "dacs", "oracle"), "cityscapes")),
    ],
)
def test_a_changed_label_makes_exactly_its_readers_stale(
    done: Suite, root: Path, label: str, expected: dict[str, str]
) -> None:
    path = root / label
    path.write_bytes(path.read_bytes()[::-1])  # of the same size
    found = stale(make(done, root))
    assert found == {method: f"data of {domain} changed" for method, domain in expected.items()}


@pytest.mark.parametrize("name", ["gta5/images/00001.png", SOURCE_LABEL])
def test_a_file_of_another_size_or_a_missing_pair_is_noticed(
    done: Suite, root: Path, name: str
) -> None:
    put(root / name, b"longer than it was before, much longer")
    assert set(stale(make(done, root))) == {"source-only", "dacs"}
    put(root / name, f"content of {name}".encode())
    assert stale(make(done, root)) == {}
    for kind in ("images", "labels"):
        (root / "gta5" / kind / "00003.png").unlink()
    assert set(stale(make(done, root))) == {"source-only", "dacs"}


def test_excluded_images_and_other_files_do_not_count(done: Suite, root: Path) -> None:
    put(root / "gta5/images/15188.png", b"blank")
    put(root / "gta5/labels/15188.png", b"good")
    put(root / "gta5/readme.txt", b"text")
    put(root / "cityscapes/leftImg8bit/test/berlin/x_leftImg8bit.png", b"not read")
    assert stale(make(done, root)) == {}


def test_a_moved_root_and_touched_files_make_nothing_stale(
    done: Suite, root: Path, tmp_path: Path
) -> None:
    for name in FILES:
        os.utime(root / name)
    assert stale(make(done, root)) == {}
    shutil.move(root, tmp_path / "moved")
    assert make(done, tmp_path / "moved").counts() == {"done": 3}


def test_packed_and_unpacked_is_the_same(done: Suite, root: Path) -> None:
    for number, method in enumerate((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)):
        folder = root / ("gta5", "cityscapes")[number]
        with zipfile.ZipFile(folder / "all.zip", "w", method) as archive:
            for path in list(folder.rglob("*.png")):
                archive.write(path, Path("top", path.relative_to(folder)))
                path.unlink()
        assert make(done, root).counts() == {"done": 3}
    with zipfile.ZipFile(root / "gta5" / "all.zip", "a") as archive:
        archive.writestr("top/images/00004.png", b"new")
        archive.writestr("top/labels/00004.png", b"new")
    assert set(stale(make(done, root))) == {"source-only", "dacs"}


def test_without_the_data_the_record_is_trusted(done: Suite, root: Path, tmp_path: Path) -> None:
    with_data = make(done, root)
    without = make(done, None)
    assert without.counts() == {"done": 3}
    assert [e.identity for e in without.entries] == [e.identity for e in with_data.entries]
    assert make(done, tmp_path / "nowhere").counts() == {"done": 3}
    shutil.rmtree(root / "gta5")
    path = root / TEST_LABEL
    path.write_bytes(b"changed")
    assert set(stale(make(done, root))) == {"source-only", "dacs", "oracle"}


def test_other_changes_are_seen_without_the_data(done: Suite) -> None:
    planned = plan.make(done, done.path.parent / "out", 5, DataFiles(DataRoots(None)))
    assert planned.counts() == {"stale": 3}
    assert {e.reason for e in planned.entries} == {"training or evaluation configuration changed"}


def test_an_unchanged_label_is_read_once(
    suite: Suite, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counting(content: bytes) -> int:
        read.append(len(content))
        return zlib.crc32(content)

    monkeypatch.setattr(data_fingerprint, "zlib", type("Z", (), {"crc32": staticmethod(counting)}))
    first = make(suite, root)
    assert len(read) == 5  # every label file, each once
    second = make(suite, root)
    assert len(read) == 5
    assert [e.identity for e in second.entries] == [e.identity for e in first.entries]
    (root / SOURCE_LABEL).write_bytes(b"another label")
    make(suite, root)
    make(suite, root)
    assert len(read) == 7  # changed a moment ago: it may change again unseen


def test_many_unread_labels_are_announced(
    suite: Suite, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_fingerprint, "MANY", 3)
    told: list[str] = []
    plan.make(suite, root / "out", files=DataFiles(DataRoots(root), told.append))
    assert told == ["reading 3 label files of gta5, once"]


def test_the_same_files_in_another_layout_are_the_same(tmp_path: Path) -> None:
    layouts = [
        {"name": "official", "images": "images/{frame}.jpg", "labels": "masks/{frame}.png"},
        {"name": "legacy", "images": "seg/{frame}.jpg", "labels": "seg/{frame}_train_id.png"},
    ]
    reader = {"layouts": layouts, "placeholders": {}, "where": {}, "excluded": []}
    reader |= {"partly_labelled": False, "domain": "bdd100k"}
    config = {
        "domains": {"bdd100k": {"reader": "files", "dataset": "bdd100k"}},
        "train_dataloader": {"dataset": {"source": reader, "target": None}},
        "test_dataloader": {},
    }
    digests = []
    for number, (image, label) in enumerate(
        (("images/1.jpg", "masks/1.png"), ("seg/1.jpg", "seg/1_train_id.png"))
    ):
        for name, content in ((image, b"image"), (label, b"label")):
            put(tmp_path / f"{number}/bdd100k/{name}", content)
        digests.append(DataFiles(DataRoots(tmp_path / str(number))).of(config)["bdd100k"])
    assert digests[0] is not None
    assert digests[0] == digests[1]

"""``udabench data export-minidrive``: what users see, and that real data is never touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Protocol

import pytest

from benchmark import cli, minidrive_export, paths, registry
from benchmark.errors import FragmentError, UdabenchError, UsageError
from benchmark.minidrive_export import export
from benchmark.minidrive_published import PACKAGES

SIZE = (64, 32)


class Configs(Protocol):
    """The fixture ``configs``."""

    def fragment(self, kind: str, name: str, text: str = "") -> Path: ...


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def command(*arguments: str) -> int:
    return cli.main(["data", "export-minidrive", *arguments])


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_command_says_what_it_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("out", "--layout", "cityscapes", "--images", "2", "--size", "64x32") == 0
    said = capsys.readouterr().out
    assert said == (
        "out/cityscapes: 5 images of 64x32, 4 with labels; cityscapes, layout official\n"
    )
    found = [name for name in files(Path("out")) if "leftImg8bit" in name]
    assert len(found) == 5
    assert len([name for name in found if "/test/" in name]) == 1


def test_the_command_names_the_classes_that_are_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("out", "--layout", "synthia", "--size", "64x32") == 0
    assert "void, because this data set has no such labels: terrain, truck, train" in (
        capsys.readouterr().out
    )


def test_archives_have_their_published_names() -> None:
    assert command("o", "--layout", "gta5", "--zip", "--images", "3", "--size", "64x32") == 0
    assert {*os.listdir("o/gta5")} == {
        "01_images.zip", "01_labels.zip", "06_images.zip", "06_labels.zip", "minidrive-gta5.json",
    }  # fmt: skip


def test_a_variant_is_chosen_by_its_name() -> None:
    arguments = ("--variant", "legacy 2018", "--images", "1", "--size", "64x32")
    assert command("out", "--layout", "bdd100k", *arguments) == 0
    assert [name for name in files(Path("out")) if name.endswith("_train_id.png")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--layout", "gta4"), "closest: 'gta5'"),
        (("--layout", "gta5", "--variant", "oficial"), "closest: 'official'"),
        (("--layout", "gta5", "--size", "64"), "--size: expected WIDTHxHEIGHT"),
        (("--layout", "gta5", "--size", "4x4"), "expected 8 to 8192 pixels"),
        (("--layout", "gta5", "--size", "9000x100"), "expected 8 to 8192 pixels"),
        (("--layout", "minidrive-fog"), "unknown dataset"),
    ],
)
def test_wrong_arguments_are_usage_errors(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("out", *arguments) == 2
    assert said in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize("theirs", ["images/00001.png", "minidrive-gta5.json"])
def test_a_folder_that_is_there_is_never_written_into(
    theirs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("out/gta5", theirs)
    path.parent.mkdir(parents=True)
    path.write_text("real")
    assert command("out", "--layout", "gta5", "--size", "64x32") == 2
    assert "out/gta5: is there already" in capsys.readouterr().err
    assert files(Path("out")) == {f"gta5/{theirs}": b"real"}


def test_an_interrupted_export_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export("gta5", tmp_path / "out", size=SIZE, archives=True, progress=interrupt)
    assert os.listdir(tmp_path / "out") == []


def test_data_sets_of_one_folder_stand_side_by_side(tmp_path: Path) -> None:
    for archives in (False, True):
        out = tmp_path / str(archives)
        for name in ("acdc", "acdc-reference", "mapillary-v1.2", "mapillary-v2.0"):
            export(name, out, images=1, size=SIZE, archives=archives)
        assert {*os.listdir(out)} == {"acdc", "mapillary"}
        markers = sorted(path.name for path in out.glob("*/minidrive-*.json"))
        assert markers == [
            "minidrive-acdc-reference.json", "minidrive-acdc.json",
            "minidrive-mapillary-v1.2.json", "minidrive-mapillary-v2.0.json",
        ]  # fmt: skip
    both = tmp_path / "False/mapillary/training"
    assert {*os.listdir(both)} == {"images", "labels", "instances", "v2.0"}
    assert len(os.listdir(both / "images")) == 1


def test_other_images_of_the_same_names_are_refused(tmp_path: Path) -> None:
    export("mapillary-v1.2", tmp_path, images=1, size=SIZE)
    before = files(tmp_path)
    with pytest.raises(UsageError, match="another file of this name is there"):
        export("mapillary-v2.0", tmp_path, images=1, size=SIZE, seed=1)
    assert files(tmp_path) == before


def test_equal_arguments_give_equal_files(tmp_path: Path) -> None:
    made = [tmp_path / name for name in "abc"]
    for out, seed in zip(made, (0, 0, 1), strict=True):
        export("wilddash2", out, images=2, size=SIZE, archives=True, seed=seed)
    first, second, other = (files(out) for out in made)
    assert first == second
    assert first != other


def test_a_domain_is_written_alone(tmp_path: Path) -> None:
    made = export("acdc-fog", tmp_path, images=1, size=SIZE)
    read = [image for image in made.images if image.label]
    assert len(read) == 2
    assert {image.address.domain for image in read} == {"fog"}
    assert all("/fog/" in image.image for image in read)


def test_conditions_look_like_themselves(tmp_path: Path) -> None:
    made = export("acdc", tmp_path, images=1, size=SIZE)
    for image in made.images:
        assert f"/{image.address.domain}/" in image.image
    light = export("muses", tmp_path, images=1, size=SIZE)
    for image in light.images:
        assert ("/night/" in image.image) == (image.address.domain == "night")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "benchmark", "data", "export-minidrive", str(tmp_path)]
    process = subprocess.Popen(
        [*command, "--layout", "cityscapes", "--images", "50"],
        cwd=paths.PACKAGE.parent,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not list(tmp_path.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "udabench: interrupted\n")
    assert not list(tmp_path.iterdir())


def test_published_sizes_are_the_default(tmp_path: Path) -> None:
    made = export("gta5", tmp_path, images=1)
    assert made.size == (1914, 1052)
    sizes = {"cityscapes": (2048, 1024), "acdc": (1920, 1080), "bdd100k": (1280, 720)}
    assert {name: registry.find("dataset", name).values["sizes"][0] for name in sizes} == sizes


def test_every_data_set_has_a_package() -> None:
    """Without one the files beside labels and the names of archives would not be the real ones."""
    assert {*PACKAGES} == {*registry.names("dataset")}


def test_a_data_set_of_a_plugin_needs_no_package(configs: Configs, tmp_path: Path) -> None:
    configs.fragment(
        "dataset",
        "mine",
        "layouts = [dict(name='own', images='x/{split}/{frame}.jpg', labels='y/{frame}.png')]\n"
        "decoder = 'id_png'\nvalues = range(20)\n"
        "placeholders = dict(split=('good', 'bad'))\n"
        "label_maps = dict(default={value: value for value in range(19)})\n",
    )
    configs.fragment(
        "domain",
        "mine-good",
        "reader = 'files'\ndataset = 'mine'\nlabel_map = 'default'\n"
        "train = None\ntest = dict(split='good')\n",
    )
    assert command("out", "--layout", "mine", "--images", "2", "--size", "64x32", "--zip") == 0
    with zipfile.ZipFile("out/mine/mine.zip") as archive:
        assert sorted(archive.namelist()) == [
            "x/bad/000003.jpg", "x/good/000001.jpg", "x/good/000002.jpg",
            "y/000001.png", "y/000002.png",
        ]  # fmt: skip


def test_a_data_set_that_no_domain_reads_is_refused(
    configs: Configs, capsys: pytest.CaptureFixture[str]
) -> None:
    configs.fragment("dataset", "mine")
    assert command("out", "--layout", "mine") == 2
    assert "no domain reads data set mine" in capsys.readouterr().err


def test_an_unwritable_place_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UdabenchError, match="file/gta5: cannot be written"):
        export("gta5", tmp_path / "file", images=1, size=SIZE)


def test_a_fragment_that_cannot_be_exported_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fragment = registry.find("dataset", "gta5")
    broken = {**fragment.values, "placeholders": {"frame": "[xyz]"}}
    changed = registry.Fragment(fragment.kind, fragment.name, fragment.path, broken)
    found = registry.find
    monkeypatch.setattr(
        minidrive_export.registry,
        "find",
        lambda kind, name: changed if (kind, name) == ("dataset", "gta5") else found(kind, name),
    )
    with pytest.raises(
        FragmentError, match=r"gta5\.py: cannot be exported: gta5: frame may not be"
    ):
        export("gta5", tmp_path, images=1, size=SIZE)
    assert os.listdir(tmp_path) == []


def test_the_marker_names_the_scenes(tmp_path: Path) -> None:
    made = export("urbansyn", tmp_path, images=2, size=SIZE)
    marker = json.loads((tmp_path / "urbansyn/minidrive-urbansyn.json").read_text())
    assert {*marker["scenes"]} == {image.image for image in made.images}

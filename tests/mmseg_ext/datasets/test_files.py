"""Folders and archives as one tree: everything usable is listed and read, nothing else blocks."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from multiprocessing import get_context

import pytest
from encodings_of import archive, tree
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.datasets import archives, files
from mmseg_ext.datasets.files import read_bytes, scan, status
from mmseg_ext.errors import ExtensionError, UnreadableFileError

bounded = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def test_files_and_members_are_one_sorted_tree(tmp_path):
    tree(tmp_path, {"b/2.png": b"two", "a.txt": b"a", ".hidden/x": b"", "__MACOSX/y": b""})
    archive(tmp_path / "b/c.ZIP", {"./in/1.png": b"one", "in/.DS_Store": b"", "__MACOSX/1": b""})
    listing = scan(tmp_path)
    assert listing.files == ("a.txt", "b/2.png", "b/c.ZIP/./in/1.png")
    assert (listing.problems, listing.sealed, listing.damaged) == ((), (), ())
    contents = [read_bytes(f"{tmp_path}/{name}") for name in listing.files]
    assert contents == [b"a", b"two", b"one"]
    assert status(f"{tmp_path}/b/c.ZIP/./in/1.png") == files.FileStatus(3, zlib.crc32(b"one"))
    assert status(f"{tmp_path}/b/2.png").size == 3


def test_an_archive_can_take_the_place_of_the_folder(tmp_path):
    path = archive(tmp_path / "all.zip", {"a/1.png": b"1"}, zipfile.ZIP_DEFLATED)
    assert scan(path).files == ("a/1.png",)
    assert read_bytes(f"{path}/a/1.png") == b"1"


@pytest.mark.parametrize("name", ["with space", "[x]", "a#b", "100%", "ümlaut", "a\nb", "x.zip"])
def test_unusual_names_are_files_like_others(tmp_path, name):
    tree(tmp_path, {f"{name}/{name}.png": b"1"})
    archive(tmp_path / "z.zip", {f"{name}/{name}.png": b"2"})
    found = scan(tmp_path).files
    assert found == tuple(sorted((f"{name}/{name}.png", f"z.zip/{name}/{name}.png")))
    assert {read_bytes(f"{tmp_path}/{path}") for path in found} == {b"1", b"2"}


def test_members_named_with_backslashes(tmp_path):
    archive(tmp_path / "z.zip", {"images\\1.png": b"1"})
    assert scan(tmp_path).files == ("z.zip/images/1.png",)
    assert read_bytes(f"{tmp_path}/z.zip/images/1.png") == b"1"


def test_names_that_are_no_text_are_reported(tmp_path):
    with open(os.fsencode(tmp_path) + b"/caf\xe9.png", "wb"):
        pass
    archive(tmp_path / "z.zip", {"x" * 5000: b"", "ok": b""})
    listing = scan(tmp_path)
    assert listing.files == ("z.zip/ok",)
    assert len(listing.problems) == 2
    assert "is not UTF-8" in listing.problems[0]
    assert "longer than a file's name" in listing.problems[1]


def test_pipes_sockets_and_links_to_nothing_are_left_out_and_never_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "self.png").symlink_to("self.png")
    (tmp_path / "null.png").symlink_to(os.devnull)
    place = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(tmp_path)  # the name of a socket may be 100 bytes long
        try:
            listening.bind("s")
        finally:
            os.chdir(here)
        assert place.exists()
        listing = scan(tmp_path)
    assert listing.files == ()
    assert len(listing.problems) == 5
    for name in ("pipe.png", "null.png"):
        with pytest.raises(UnreadableFileError, match=rf"{name}.*it is no file"):
            read_bytes(str(tmp_path / name))


def test_a_folder_named_like_a_file(tmp_path):
    (tmp_path / "1.png").mkdir()
    (tmp_path / "a.zip").mkdir()
    tree(tmp_path, {"a.zip/2.png": b"2"})
    assert scan(tmp_path).files == ("a.zip/2.png",)
    assert read_bytes(f"{tmp_path}/a.zip/2.png") == b"2"
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(UnreadableFileError, match=r"1\.png.*it is no file"):
        read_bytes(str(tmp_path / "1.png"))
    assert len(os.listdir("/proc/self/fd")) == before


def test_loops_of_links_end(tmp_path):
    tree(tmp_path, {"real/1.png": b"1"})
    (tmp_path / "real/up").symlink_to("..")
    (tmp_path / "again").symlink_to("real")
    listing = scan(tmp_path)
    assert listing.files == ("again/1.png", "real/1.png")
    assert any("a link to a folder that contains it" in text for text in listing.problems)


def test_links_that_multiply_end(tmp_path):
    names = [f"d{i:02}" for i in range(24)]  # each leads twice to the next: 2^24 paths
    for name, following in pairwise(names):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").symlink_to(f"../{following}")
        (tmp_path / name / "b").symlink_to(f"../{following}")
    tree(tmp_path, {f"{names[-1]}/1.png": b"1"})
    listing = scan(tmp_path)
    assert f"{names[-1]}/1.png" in listing.files
    assert len(listing.files) <= 5
    assert any("too many links" in text for text in listing.problems)


def test_very_deep_folders(tmp_path):
    depth = 420  # more than one path may be long with these names
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(depth):
            os.mkdir("deep_folder")
            os.chdir("deep_folder")
    finally:
        os.chdir(here)
    tree(tmp_path, {"/".join(["a"] * 300) + "/1.png": b"1"})
    listing = scan(tmp_path)
    assert [name.rpartition("/")[2] for name in listing.files] == ["1.png"]
    assert "name too long" in listing.problems[0]
    # pytest removes old folders recursively in Python, which this one is too deep for.
    subprocess.run(["rm", "-rf", str(tmp_path / "deep_folder")], check=True)


def test_a_folder_that_may_not_be_listed_is_reported(tmp_path, monkeypatch):
    tree(tmp_path, {"closed/1.png": b"1", "open/2.png": b"2"})
    original = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):  # as for anybody but the owner and root
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    listing = scan(tmp_path)
    assert listing.files == ("open/2.png",)
    assert "closed: cannot be listed (Permission denied)" in listing.problems[0]


def test_what_cannot_be_read_is_named(tmp_path):
    tree(tmp_path, {"a.png": b"1"})
    for path in (f"{tmp_path}/no.png", f"{tmp_path}/a.png/b.png", f"{tmp_path}/a\0b"):
        with pytest.raises(UnreadableFileError):
            read_bytes(path)
        with pytest.raises(UnreadableFileError):
            status(path)
    for root in ("no", "a.png"):
        with pytest.raises(UnreadableFileError, match="no such folder"):
            scan(tmp_path / root)


def test_what_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 10)
    monkeypatch.setattr(archives, "LARGEST", 10)
    tree(tmp_path, {"a.png": b"x" * 11})
    archive(tmp_path / "z.zip", {"a.png": b"x" * 11}, zipfile.ZIP_DEFLATED)
    for name in ("a.png", "z.zip/a.png"):
        with pytest.raises(UnreadableFileError, match="11 bytes"):
            read_bytes(f"{tmp_path}/{name}")


def test_a_root_that_is_no_data_set_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_MOST_FILES", 2)
    tree(tmp_path, {f"{i}/x": b"" for i in range(4)})
    with pytest.raises(UnreadableFileError, match="more than 2 files"):
        scan(tmp_path)


def test_archives_that_must_be_unpacked_are_named(tmp_path):
    tree(tmp_path, {"SYNTHIA.rar": b"", "x.tar.gz": b""})
    assert scan(tmp_path).sealed == ("SYNTHIA.rar", "x.tar.gz")


def test_members_that_are_not_read_in_place_say_what_to_do(tmp_path):
    archive(tmp_path / "l.zip", {"a": b"x" * 100}, zipfile.ZIP_LZMA)
    with pytest.raises(UnreadableFileError, match=r"method 14.*unpack the archive"):
        read_bytes(f"{tmp_path}/l.zip/a")
    content = bytearray(archive(tmp_path / "e.zip", {"a": b"x" * 100}).read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "e.zip").write_bytes(content)
    with pytest.raises(UnreadableFileError, match="encrypted"):
        read_bytes(f"{tmp_path}/e.zip/a")
    with pytest.raises(UnreadableFileError, match="holds no b"):
        read_bytes(f"{tmp_path}/l.zip/b")


@pytest.mark.parametrize("offset", [0, 37])
def test_zip64_and_something_before_the_archive(tmp_path, offset):
    path = tmp_path / "z.zip"
    with open(path, "wb") as stream:
        stream.write(b"#" * offset)
        with zipfile.ZipFile(stream, "w") as made, made.open("a", "w", force_zip64=True) as member:
            member.write(b"content")
    assert read_bytes(f"{path}/a") == b"content"


def test_more_members_than_16_bits_count(tmp_path):
    path = archive(tmp_path / "z.zip", {f"{i:05}": b"" for i in range(65_540)})
    listing = scan(tmp_path)
    assert len(listing.files) == 65_540
    assert read_bytes(f"{path}/65539") == b""


def test_a_replaced_archive_is_read_anew(tmp_path):
    path = archive(tmp_path / "z.zip", {"a": b"old"})
    assert read_bytes(f"{path}/a") == b"old"
    archive(tmp_path / "new.zip", {"a": b"newer"})
    os.replace(tmp_path / "new.zip", path)
    assert read_bytes(f"{path}/a") == b"newer"
    path.unlink()
    with pytest.raises(UnreadableFileError):
        read_bytes(f"{path}/a")


def test_few_archives_are_open_at_once(tmp_path):
    for index in range(100):
        archive(tmp_path / f"{index:03}.zip", {"a": b"%d" % index})
    before = len(os.listdir("/proc/self/fd"))
    assert len(scan(tmp_path).files) == 100
    assert [read_bytes(f"{tmp_path}/{i:03}.zip/a") for i in range(100)] == [
        b"%d" % i for i in range(100)
    ]
    assert len(os.listdir("/proc/self/fd")) - before <= 64


def members(path, count=200):
    content = {f"{i:03}": random.Random(i).randbytes(500 + 37 * i) for i in range(count)}
    return archive(path, content, zipfile.ZIP_DEFLATED), content


def _read_all(path, names):
    return [zlib.crc32(read_bytes(f"{path}/{name}")) for name in names]


def test_threads_share_an_archive(tmp_path):
    path, content = members(tmp_path / "z.zip")
    names = list(content) * 5
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: read_bytes(f"{path}/{name}"), names))
    assert found == [content[name] for name in names]


def test_forked_workers_share_an_archive(tmp_path):
    path, content = members(tmp_path / "z.zip")
    read_bytes(f"{path}/000")  # open before the fork, as data loaders have it
    names = list(content)
    orders = [random.Random(seed).sample(names, len(names)) for seed in range(3)]
    with get_context("fork").Pool(3) as pool:
        found = pool.starmap(_read_all, [(path, order) for order in orders])
    assert found == [[zlib.crc32(content[name]) for name in order] for order in orders]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zips")
    content = {f"images/{i}.png": random.Random(i).randbytes(300) * (1 + i) for i in range(4)}
    made = {
        name: archive(folder / f"{name}.zip", content, method).read_bytes()
        for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED))
    }
    return folder, content, made


@pytest.mark.parametrize("method", ["stored", "deflated"])
@bounded
@given(data=st.data())
def test_a_damaged_archive_never_gives_other_content(whole, method, data):
    folder, content, made = whole
    damaged = bytearray(made[method])
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(0, len(damaged) - 1)) :]
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            place = data.draw(st.integers(0, len(damaged) - 1))
            damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    path = folder / "damaged.zip"
    path.unlink(missing_ok=True)
    path.write_bytes(damaged)
    listing = scan(path)
    assert bool(listing.damaged) == (not listing.files and bool(listing.problems))
    for name in {*content, *listing.files}:
        try:
            found = read_bytes(f"{path}/{name}")
        except ExtensionError:
            continue
        # A changed name is another name; what is found under one is what was stored.
        assert found in content.values() if name not in content else found == content[name]

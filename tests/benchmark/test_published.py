"""Published results: the files of the repository, and what each mistake in one is answered with."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmark import paths, published, registry
from benchmark.errors import PublishedError

GOOD = {
    "study": "A",
    "method": "M",
    "encoder": "e",
    "source": "gta5",
    "domain": "cityscapes",
    "split": "val",
    "classes": "19",
    "miou": "50.25",
    "protocol": "other",
    "where": "paper, Table 1",
}


def write(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, published.COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "published_root", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "dg.csv")
    return tmp_path


def test_the_repository_holds_valid_rows() -> None:
    results = published.load()
    assert len(results) > 500
    assert {each.protocol for each in results} <= {*registry.names("evaluation"), published.OTHER}
    assert all(each.where and each.study for each in results)
    assert len({each.key for each in results}) == len(results)


def test_adapting_rows_are_in_one_file_and_others_in_the_other() -> None:
    root = paths.published_root()
    assert all(result.target for _, result in published.read(root / "uda.csv"))
    assert not any(result.target for _, result in published.read(root / "dg.csv"))


@pytest.mark.parametrize(
    ("method", "encoder", "domain", "value"),
    [
        ("DACS", "ResNet-101 (DeepLabV2)", "cityscapes", 52.1),
        ("DAFormer", "mit-b5", "cityscapes", 68.3),
        ("HRDA(DAFormer)", "mit-b5", "cityscapes", 73.8),
        ("MIC(HRDA)", "mit-b5", "cityscapes", 75.9),
        ("VFM-UDA", "dinov2-l14", "wilddash2", 64.7),
    ],
)
def test_numbers_that_everybody_knows(method: str, encoder: str, domain: str, value: float) -> None:
    found = [
        each.miou
        for each in published.load()
        if each.shown
        and (each.method, each.encoder) == (method, encoder)
        and (each.source, each.target, each.domain) == ("gta5", "cityscapes", domain)
    ]
    assert found == [value]


def test_a_row_becomes_typed_values(root: Path) -> None:
    more = {"year": "2024", "seeds": "3", "spread": "0.5", "shown": "yes", "crop": "512x512"}
    write(root / "uda.csv", GOOD | more)
    (result,) = published.load()
    assert (result.miou, result.spread, result.seeds, result.year) == (50.25, 0.5, 3, 2024)
    assert (result.classes, result.iterations, result.shown) == (19, None, True)
    assert result.domains == ("cityscapes",)


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("miou", "100.5", r"uda.csv:2: column 'miou': expected a number from 0 to 100"),
        (
            "miou",
            "+2.1",
            r"column 'miou': expected a number .* or nothing, found '\+2.1'",
        ),
        ("miou", "", r"column 'miou': expected a text"),
        ("where", "", r"column 'where': expected a text"),
        ("split", "vall", r"column 'split': unknown split 'vall'; closest: 'val'"),
        ("classes", "18", r"column 'classes': unknown classes '18'"),
        ("seeds", "three", r"column 'seeds': expected a whole number above 0 or nothing"),
        ("arxiv", "abs/2411", r"column 'arxiv': expected an arXiv id or nothing"),
        ("shown", "no", r"column 'shown'"),
        ("protocol", "a b", r"column 'protocol': expected the name of an evaluation preset"),
        ("study", "two  blanks", r"column 'study': expected single blanks"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_column(
    root: Path, column: str, text: str, message: str
) -> None:
    write(root / "uda.csv", GOOD | {column: text})
    with pytest.raises(PublishedError, match=message):
        list(published.read(root / "uda.csv"))


def test_a_row_given_twice_is_refused(root: Path) -> None:
    write(root / "uda.csv", GOOD, GOOD | {"miou": "51"})
    with pytest.raises(PublishedError, match=r"uda.csv:3: the same number as uda.csv:2"):
        published.load()


def test_other_columns_and_a_missing_file_are_refused(root: Path) -> None:
    with pytest.raises(PublishedError, match=r"uda.csv: cannot be read as CSV"):
        list(published.read(root / "uda.csv"))
    (root / "uda.csv").write_text("study,miou\nA,3\n")
    with pytest.raises(PublishedError, match=r"uda.csv:1: expected the columns study, arxiv"):
        list(published.read(root / "uda.csv"))

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.report.document import END, insert, update
from benchmark.report.grid import Grid
from benchmark.report.tables import generalization, uda

BEGIN = "<!-- udabench report story: uda -->"


def test_a_block_is_renewed_and_nothing_else(story: Grid, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    before, after = "# Mine\n\ntext <b>\n", "\nmore\n"
    path.write_text(f"{before}{BEGIN}\nstale words\n{END}{after}")
    assert update(path, "story", [uda(story)])
    text = path.read_text()
    assert text.startswith(f"{before}{BEGIN}\n\n### Story: adaptation")
    assert text.endswith(f"\n\n{END}{after}")
    assert "stale words" not in text
    assert "| DACS " in text
    assert not update(path, "story", [uda(story)])


def test_blocks_of_other_suites_stay(story: Grid) -> None:
    other = f"<!-- udabench report other: uda -->\nkept\n{END}\n"
    text = insert(f"{other}{BEGIN}\n{END}\n{other}", "story", [uda(story)])
    assert text.count("kept") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing\n", r"document: no block of suite story"),
        (f"{BEGIN}\nold\n", r"document:1: no line .* closes this block"),
        (f"x\n{BEGIN}\n{BEGIN}\n{END}\n", r"document:2: no line .* before the next block"),
        (
            f"<!-- udabench report story: udda -->\n{END}\n",
            r"document:1: suite story: unknown table 'udda'; closest: 'uda'",
        ),
    ],
)
def test_what_is_wrong_is_named(story: Grid, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        insert(text, "story", [uda(story), generalization(story)])


def test_a_refused_file_is_untouched(story: Grid, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(f"{BEGIN}\nold\n")
    with pytest.raises(UsageError, match=r"README.md:1"):
        update(path, "story", [uda(story)])
    assert path.read_text() == f"{BEGIN}\nold\n"
    with pytest.raises(UsageError, match=r"missing\.md"):
        update(tmp_path / "missing.md", "story", [uda(story)])

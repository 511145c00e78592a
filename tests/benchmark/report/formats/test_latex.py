"""LaTeX, typeset by a real TeX: alone, inside a paper, and with everything that hurts."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest
from every_cell import AWKWARD, every_cell, large

from benchmark.report.formats.latex import latex
from benchmark.report.formats.latex_escape import escape
from benchmark.report.grid import Grid
from benchmark.report.model import Table
from benchmark.report.tables import generalization, uda

PAPER = r"""\documentclass[twocolumn]{article}
\usepackage{booktabs}\usepackage{graphicx}
\begin{document}
Before. \input{table} After.
\end{document}
"""


@pytest.fixture
def typeset(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A function that typesets text as a file of this name and returns what TeX said."""
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("pdflatex is not installed (Debian: texlive-latex-recommended)")
    (tmp_path / "aux").mkdir()

    def run(name: str, text: str) -> str:
        (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
        command = [program, "-halt-on-error", "-interaction=nonstopmode", f"{name}.tex"]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
        said = found.stdout.decode("utf-8", "replace")
        assert found.returncode == 0, said[-2000:]
        assert (tmp_path / f"{name}.pdf").stat().st_size > 2000
        return said

    return run


@pytest.mark.parametrize("make", [every_cell, lambda: large(7, 12), lambda: large(90, 2)])
def test_it_compiles_alone_and_in_a_paper(typeset, make) -> None:  # type: ignore[no-untyped-def]
    text = latex(make())
    alone = typeset("table", text)
    assert "Overfull \\hbox" not in alone
    assert "Float too large" not in alone
    assert "Overfull \\hbox" not in typeset("paper", PAPER)


def test_the_tables_of_a_suite_compile(typeset, story: Grid) -> None:  # type: ignore[no-untyped-def]
    for table in (uda(story), generalization(story)):
        assert "Overfull \\hbox" not in typeset(table.name, latex(table))


def test_numbers_carry_their_marks() -> None:
    lines = latex(every_cell()).splitlines()
    best = next(line for line in lines if r"\textbf{54.2}" in line)
    assert r"\pm\,$1.2" in best
    assert r"\textsuperscript{2}" in best
    assert r"$-$3.5*" in best
    assert r"not run \& \textless{}never\textgreater{}" in best
    assert any(line.startswith(r"Published\textsuperscript{$\dagger$,3} &") for line in lines)
    assert any(r"\underline{50.0}" in line for line in lines)
    assert any(line.startswith("failed & --- failed & ---") for line in lines)


def test_wide_tables_go_on_below() -> None:
    text = latex(large(7, 12))
    heads = [line for line in text.splitlines() if line.startswith("Method & ")]
    assert len(heads) > 1
    assert sum(head.count("mIoU") for head in heads) == 12
    assert text.count(r"\label{") == 1


def test_special_characters_are_taken_literally() -> None:
    assert escape("a_b&c%d#e$f{g}h") == r"a\_b\&c\%d\#e\$f\{g\}h"
    assert escape("a -> b") == r"a $\rightarrow$ b"
    assert escape("雪") == "?"
    assert "\n" not in escape("two\nlines")
    assert escape(AWKWARD).isascii()
    assert escape("[1] *é* ð") == r"{[}1{]} {*}\'{e}{*} ?"


@pytest.mark.parametrize("name", ["[2pt] first", "*starred", 'a "quoted" `name`', "Ærø þ ð ŋ ß ł"])
def test_a_name_is_never_an_option_or_a_command(typeset, name: str) -> None:  # type: ignore[no-untyped-def]
    table = every_cell()
    (section,) = table.sections
    rows = tuple(dataclasses.replace(row, labels=(name,)) for row in section.rows)
    section = dataclasses.replace(section, title=name, rows=rows)
    typeset("table", latex(dataclasses.replace(table, title=name, sections=(section,))))
    typeset("paper", PAPER)


def test_a_reason_without_blanks_stays_on_the_page(typeset) -> None:  # type: ignore[no-untyped-def]
    reason = "failed (/" + "a_long/path_without-a.blank" * 7 + ")"
    table = dataclasses.replace(every_cell(), notes=(reason, reason))
    assert "Overfull \\hbox" not in typeset("table", latex(table))
    assert "Overfull \\hbox" not in typeset("paper", PAPER)


def test_the_source_of_a_published_row_is_a_note() -> None:
    assert r"Someone \& al., table 3\par" in latex(every_cell())


def test_a_table_with_nothing_in_it_says_so(typeset) -> None:  # type: ignore[no-untyped-def]
    text = latex(Table("none", "None", ("There is nothing.",), ()))
    typeset("none", text + "\n")
    assert "There is nothing." in text


def test_only_the_first_of_several_floats_says_how_to_read_them(story: Grid) -> None:
    shifts = tuple(dataclasses.replace(story.shifts[0], name=n, title=n) for n in ("one", "two"))
    table = uda(dataclasses.replace(story, shifts=shifts))
    captions = [line for line in latex(table).splitlines() if line.startswith("\\caption")]
    assert ["Bold is the best" in each for each in captions] == [True] + [False] * (
        len(captions) - 1
    )
    assert len(captions) > 1
    assert all("Read as the first" in each for each in captions[1:])

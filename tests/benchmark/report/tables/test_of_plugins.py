"""Tables of plugins: shown where a suite asks for them, and no harm to the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import plugin_package
import pytest

from benchmark import plugins, registry, suite
from benchmark.errors import SuiteError
from benchmark.report.grid import Grid
from benchmark.report.tables import build

CODE = '''from benchmark.report.tables import uda


def best(grid):
    """The table of ours under another title."""
    import dataclasses

    return dataclasses.replace(uda(grid), name="anything", title="The best of " + grid.title)


def torn(grid):
    raise ZeroDivisionError("no cells")


def wrong(grid):
    return "a text"
'''
TABLES = {
    "tables/best.py": 'build = "gains.code:best"\n',
    "tables/torn.py": 'build = "gains.code:torn"\n',
    "tables/wrong.py": 'build = "gains.code:wrong"\n',
    "tables/absent.py": 'build = "gains.code:absent"\n',
    "tables/shapeless.py": 'build = "gains"\n',
    "tables/empty.py": "",
    "tables/overhead.py": 'build = "gains.code:best"\n',
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = plugin_package.write(tmp_path, "gains", TABLES)
    (home / "code.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(plugins.VARIABLE, "gains")
    registry.forget()
    yield tmp_path
    registry.forget()


def asking(story: Grid, *names: str) -> Grid:
    return dataclasses.replace(story, tables=names)


@pytest.mark.usefixtures("site")
def test_a_table_is_shown_where_it_is_asked_for_and_under_its_own_name(story: Grid) -> None:
    assert [table.name for table in build(story)] == ["uda", "generalization"]
    best, ours = build(asking(story, "best", "uda"))
    assert (best.name, best.title) == ("best", "The best of Story")
    assert best.sections == ours.sections


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torn", "gains.code:torn fails with ZeroDivisionError: no cells; mend it, or take"),
        ("wrong", "gains.code:wrong must return a benchmark.report.model.Table, found str"),
        ("absent", "gains.code:absent fails with AttributeError"),
        ("shapeless", "build must be 'module:function', found 'gains'"),
        ("empty", "a table must define 'build'"),
        ("nowhere", "unknown table 'nowhere'"),
    ],
)
def test_one_that_cannot_be_made_is_told_and_costs_nothing_else(
    story: Grid, name: str, message: str
) -> None:
    problems: list[str] = []
    assert [table.name for table in build(asking(story, name, "uda"), problems)] == ["uda"]
    (problem,) = problems
    assert message in problem
    assert name == "nowhere" or f"tables/{name}.py" in problem


def test_a_suite_may_name_them_and_a_name_of_ours_is_refused(site: Path) -> None:
    text = (Path(suite.__file__).parents[1] / "configs/suites/demo.yaml").read_text()
    path = site / "mine.yaml"
    path.write_text(f"{text}tables: [uda, best]\n")
    assert suite.load(str(path)).tables == ("uda", "best")
    path.write_text(f"{text}tables: [uda, overhead]\n")
    with pytest.raises(
        SuiteError, match="table 'overhead' is there 2 times: in udabench"
    ) as caught:
        suite.load(str(path))
    assert "tables/overhead.py (--plugin gains)" in str(caught.value)
    path.write_text(f"{text}tables: [beest]\n")
    with pytest.raises(SuiteError, match="unknown table 'beest'; closest: 'best'"):
        suite.load(str(path))

"""From a plan to the files of its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmark.errors import UdabenchError
from benchmark.report import figures as drawing
from benchmark.report import panels, store
from benchmark.report.figures import Figure
from benchmark.report.formats import FORMATS
from benchmark.report.gather import PlanLike, from_plan
from benchmark.report.model import Table
from benchmark.report.page import page
from benchmark.report.panels import Panel
from benchmark.report.tables import build

PAGE = "report.html"
Made = TypeVar("Made")


@dataclass(frozen=True)
class Written:
    """What ``write`` did.

    ``files`` are all files of the report, ``changed`` those of them that had other content before
    or were not there, ``removed`` those of tables and figures that are no more. ``problems`` say
    which pictures and which tables of plugins could not be made, and why; the report is complete
    without them.
    """

    files: tuple[Path, ...]
    changed: tuple[Path, ...]
    removed: tuple[Path, ...] = ()
    problems: tuple[str, ...] = ()


def render(plan: PlanLike, problems: list[str] | None = None) -> tuple[Table, ...]:
    """Every table of the plan's suite that has something to say.

    Why a plugin's table cannot be made goes to ``problems``.

    Raises:
        UsageError, FragmentError: the suite names a fragment that is missing or incomplete.
    """
    return build(from_plan(plan), problems)


def write(plan: PlanLike, *, figures: bool = True) -> Written:
    """Write tables in every format, figures and the page below the suite's result folder.

    Beside them, ``intervals.json`` keeps the intervals over images (see ``ImageIntervals``).

    Each file is written whole or not at all, and not touched if it holds the same already. The
    tables come first and do not depend on the pictures: what cannot be drawn is a problem that
    ``Written`` tells.

    Args:
        plan: the suite's cells and where its results are.
        figures: whether to draw; without, the files of earlier figures stay as they are.

    Raises:
        UsageError, FragmentError: as ``render``.
        OSError: a file cannot be written.
    """
    grid = from_plan(plan)
    problems: list[str] = []
    tables = build(grid, problems)
    contents = {
        plan.folder / "tables" / f"{table.name}.{extension}": convert(table)
        for table in tables
        for extension, convert in FORMATS.items()
    }
    changed = store.save(contents)
    removed = store.drop_tables(plan.folder / "tables", set(contents), FORMATS)
    files = list(contents)

    drawn: Sequence[Figure] = ()
    if figures:
        drawn = _attempted("figures", lambda: drawing.build(plan, grid), problems)
    shown: Sequence[Panel] = _attempted("panels", lambda: panels.gather(plan), problems)
    pictures = {
        plan.folder / "figures" / f"{figure.name}.{kind}": content
        for figure in drawn
        for kind, content in figure.files.items()
    }
    changed += store.save(pictures)
    if figures and not problems:
        removed += store.drop_figures(plan.folder / "figures", {each.name for each in drawn})
    whole = plan.folder / PAGE
    changed += store.save({whole: page(plan, grid, tables, drawn, shown)})
    kept = grid.intervals.contents() if grid.intervals is not None else {}
    changed += store.save(kept)
    files += [*pictures, whole, *kept]
    return Written(tuple(files), tuple(changed), tuple(removed), tuple(problems))


def _attempted(
    what: str, make: Callable[[], Sequence[Made]], problems: list[str]
) -> Sequence[Made]:
    """The pictures that ``make`` makes, or none and a problem.

    Numbers that took days must not be lost to a plotting library: any error of it is told.
    """
    try:
        return make()
    except UdabenchError as error:
        problems.append(str(error))
    except Exception as error:
        problems.append(f"the {what} could not be made: {type(error).__name__}: {error}")
    return ()

"""Progress of a run: one live table on a terminal, one line per change of state elsewhere."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.engines import Observer, Outcome, Slot
from benchmark.paths import CellPaths
from benchmark.plan import Plan, PlannedCell

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

ESTIMATE_AFTER_SECONDS = 60.0
RECENT_OUTCOMES = 8


def duration(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextlib.contextmanager
def display(plan: Plan, due: Sequence[PlannedCell], places: int) -> Iterator[Observer]:
    """The display that fits the standard output. ``places`` is how many cells run at a time."""
    tally = Tally(len(due), places)
    if not sys.stdout.isatty():
        yield Lines(tally)
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(), refresh_per_second=4, transient=False) as live:
        table = LiveTable(tally, plan.folder, live)
        yield table
        table.tick()


@dataclass
class Tally:
    """Counts a run's cells and estimates what is left of it."""

    total: int
    places: int
    begun: float = field(default_factory=lambda: time.monotonic())
    running: dict[str, float] = field(default_factory=dict)
    ended: list[Outcome] = field(default_factory=list)

    def start(self, planned: PlannedCell) -> None:
        """Count a cell as running from now on."""
        self.running[planned.cell.stem] = time.monotonic()

    def again(self, planned: PlannedCell) -> None:
        """Count a cell as waiting once more."""
        self.running.pop(planned.cell.stem, None)

    def end(self, outcome: Outcome) -> None:
        """Count a cell as ended."""
        self.running.pop(outcome.cell.stem, None)
        self.ended.append(outcome)

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.begun

    def remaining(self) -> float | None:
        """Estimated seconds to the end, None before the first cell has shown what one takes."""
        took = [outcome.seconds for outcome in self.ended if outcome.state == "done"]
        if not took:
            return None
        each = sum(took) / len(took)
        now = time.monotonic()
        begun = [max(0.0, each - (now - since)) for since in self.running.values()]
        waiting = self.total - len(self.ended) - len(begun)
        return max([(sum(begun) + each * waiting) / self.places, *begun])

    def text(self) -> str:
        """Elapsed time, and the remaining one for a run longer than a minute."""
        elapsed, remaining = self.elapsed(), self.remaining()
        text = duration(elapsed)
        if remaining and elapsed + remaining > ESTIMATE_AFTER_SECONDS:
            text += f", about {duration(remaining)} left"
        return text


@dataclass
class Lines:
    """Plain lines for pipes, log files and continuous integration."""

    tally: Tally

    def started(self, planned: PlannedCell, slot: Slot) -> None:
        """Print that a cell began."""
        self.tally.start(planned)
        self._line(f"{planned.cell}: started on {slot.name}")

    def held(self, planned: PlannedCell, reason: str) -> None:
        """Print who has the cell."""
        self._line(f"{planned.cell}: {reason}; waiting for it")

    def retried(self, planned: PlannedCell, reason: str) -> None:
        """Print that a cell is tried again."""
        self.tally.again(planned)
        self._line(f"{planned.cell}: {' '.join(reason.split())}")

    def finished(self, outcome: Outcome) -> None:
        """Print how a cell ended."""
        self.tally.end(outcome)
        reason = f" ({' '.join(outcome.reason.split())})" if outcome.reason else ""
        took = f" in {duration(outcome.seconds)}" if outcome.seconds else ""
        self._line(f"{outcome.cell}: {outcome.state}{took}{reason}")

    def tick(self) -> None:
        """Nothing changes between two lines."""

    def _line(self, text: str) -> None:
        done, total = len(self.tally.ended), self.tally.total
        print(f"[{done}/{total} {self.tally.text()}] {text}", flush=True)


@dataclass
class LiveTable:
    """A table that is redrawn in place on a terminal."""

    tally: Tally
    folder: Path
    live: Live
    rows: dict[str, tuple[PlannedCell, str]] = field(default_factory=dict)

    def started(self, planned: PlannedCell, slot: Slot) -> None:
        """Add a row."""
        self.tally.start(planned)
        self.rows[planned.cell.stem] = (planned, slot.name)
        self.tick()

    def held(self, planned: PlannedCell, reason: str) -> None:
        """Add a row for a cell that runs elsewhere."""
        self.tally.start(planned)
        self.rows[planned.cell.stem] = (planned, "elsewhere")
        self.tick()

    def retried(self, planned: PlannedCell, reason: str) -> None:
        """Take the row away until the cell starts again."""
        self.tally.again(planned)
        self.rows.pop(planned.cell.stem, None)
        self.tick()

    def finished(self, outcome: Outcome) -> None:
        """Turn a running row into a finished one."""
        self.tally.end(outcome)
        self.rows.pop(outcome.cell.stem, None)
        self.tick()

    def tick(self) -> None:
        """Draw the table again."""
        self.live.update(self.table())

    def table(self) -> Table:
        """The table: the last finished cells, then the running ones; totals in the title."""
        from rich.markup import escape
        from rich.table import Table

        done, total = len(self.tally.ended), self.tally.total
        table = Table(title=f"{done} of {total} cells, {self.tally.text()}", title_justify="left")
        for head in ("cell", "state", "iteration", "time", "left", "loss", "device"):
            table.add_column(head, overflow="fold")
        for outcome in self.tally.ended[-RECENT_OUTCOMES:]:
            state = outcome.state if not outcome.reason else f"{outcome.state}: {outcome.reason}"
            colour = {"done": "green", "failed": "red"}.get(outcome.state, "yellow")
            ended = (str(outcome.cell), state, "", duration(outcome.seconds))
            table.add_row(*map(escape, ended), style=colour)
        for stem, (planned, place) in self.rows.items():
            seen = read_progress(CellPaths(self.folder, planned.cell).progress)
            spent = duration(time.monotonic() - self.tally.running[stem])
            row = (str(planned.cell), seen.phase, seen.count, spent, seen.left, seen.loss)
            table.add_row(*map(escape, row), escape(place))
        return table


@dataclass(frozen=True)
class Seen:
    """A worker's progress as texts to show."""

    phase: str = "starting"
    count: str = ""
    left: str = ""
    loss: str = ""


def read_progress(path: Path) -> Seen:
    """What a worker last said about itself; unreadable or strange content shows as starting."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        iteration, iterations = int(document["iteration"]), int(document["iterations"])
        pace, loss = document.get("seconds_per_iteration"), document.get("loss")
        return Seen(
            phase=str(document["phase"]),
            count=f"{iteration}/{iterations}",
            left=duration((iterations - iteration) * float(pace)) if pace is not None else "",
            loss=f"{float(loss):.3f}" if loss is not None else "",
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return Seen()

"""Suites: a named grid of methods, encoders, shifts and seeds, read from strict YAML."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import paths, registry, suitefile, table_names
from benchmark.budget import Budget as Budget
from benchmark.budget import Checkpoints, budget_of, checkpoints_of
from benchmark.cell import Cell
from benchmark.errors import SuiteError, UsageError
from benchmark.suite_entries import Exclusion, Match, agrees, exclusions, priorities, protocols

MAX_CELLS = 100_000
AXES = {"method": "methods", "encoder": "encoders", "shift": "shifts", "seed": "seeds"}


@dataclass(frozen=True)
class Suite:
    """A grid and the protocol of its cells. ``path`` is the file it was read from.

    ``protocols`` has the methods that follow another protocol than ``protocol``.
    ``priority`` lists coordinates: cells that agree with an earlier entry start earlier.
    ``reference_encoder`` is the one that tables compare encoders with, and ``tables`` those to
    show, in this order; both are empty where the suite leaves the choice to the report.
    ``claims`` name what the report puts to the test, see `benchmark.claims`. ``provenance`` says
    of settings where they are from; those that begin with ``inferred`` are told in the report.
    """

    name: str
    title: str
    protocol: str
    methods: tuple[str, ...]
    encoders: tuple[str, ...]
    shifts: tuple[str, ...]
    seeds: tuple[int, ...]
    excluded: tuple[Exclusion, ...]
    budget: Budget
    path: Path
    summary: str = ""
    priority: tuple[Match, ...] = ()
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    reference_encoder: str = ""
    tables: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    protocols: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)

    def protocol_of(self, method: str) -> str:
        """Name of the protocol that cells of ``method`` follow."""
        return self.protocols.get(method, self.protocol)

    @property
    def reference(self) -> str:
        """What a command line calls this suite: its name, or its file if it lies elsewhere."""
        try:
            listed = registry.locate("suite", self.name)
        except UsageError:
            return str(self.path)
        return self.name if self.path == listed else str(self.path)

    def cells(self) -> list[Cell]:
        """The cells to run, ordered by shift, encoder, method and seed."""
        return [cell for cell in self._grid() if self._exclusion(cell) is None]

    def excluded_cells(self) -> list[tuple[Cell, str]]:
        """The excluded cells, each with its reason."""
        judged = ((cell, self._exclusion(cell)) for cell in self._grid())
        return [(cell, exclusion.reason) for cell, exclusion in judged if exclusion]

    def priority_of(self, cell: Cell) -> int:
        """Place of the first entry of ``priority`` that ``cell`` agrees with; 0 starts first."""
        places = (i for i, match in enumerate(self.priority) if agrees(cell, match))
        return next(places, len(self.priority))

    def with_overrides(
        self,
        seeds: int | None = None,
        only: Mapping[str, Sequence[str]] | None = None,
        encoders: Sequence[str] = (),
    ) -> Suite:
        """This suite with some of its axes replaced or cut.

        Args:
            seeds: use the seeds ``0..seeds-1``.
            only: cut each axis in it to the given values.
            encoders: use these encoders instead of the suite's, if there are any.

        Raises:
            UsageError: no seeds, too many cells, an unknown encoder, or ``only`` names an unknown
                axis or value.
        """
        changed = self
        if encoders:
            found = dict.fromkeys(registry.find("encoder", name).name for name in encoders)
            changed = dataclasses.replace(changed, encoders=tuple(found))
        if seeds is not None:
            if seeds < 1:
                raise UsageError(f"--seeds: expected a number of seeds of at least 1, got {seeds}")
            others = len(changed.methods) * len(changed.encoders) * len(changed.shifts)
            check_size(others * seeds, "--seeds")
            changed = dataclasses.replace(changed, seeds=tuple(range(seeds)))
        for axis, values in (only or {}).items():
            changed = changed._restricted(axis, values)
        return changed

    def _restricted(self, axis: str, values: Sequence[str]) -> Suite:
        if axis not in AXES:
            raise UsageError(f"--only: {registry.unknown('key', axis, AXES)}")
        present: tuple[str | int, ...] = getattr(self, AXES[axis])
        valid = {str(value): value for value in present}
        for value in values:
            if value not in valid:
                message = registry.unknown(axis, value, valid)
                raise UsageError(f"--only: suite {self.name}: {message}")
        kept = tuple(value for text, value in valid.items() if text in values)
        if axis == "seed":
            return dataclasses.replace(self, seeds=tuple(int(seed) for seed in kept))
        named = tuple(str(value) for value in kept)
        if axis == "method":
            return dataclasses.replace(self, methods=named)
        if axis == "encoder":
            return dataclasses.replace(self, encoders=named)
        return dataclasses.replace(self, shifts=named)

    def _grid(self) -> list[Cell]:
        axes = itertools.product(self.shifts, self.encoders, self.methods, self.seeds)
        return [Cell(method, encoder, shift, seed) for shift, encoder, method, seed in axes]

    def _exclusion(self, cell: Cell) -> Exclusion | None:
        return next((entry for entry in self.excluded if entry.covers(cell)), None)


def check_size(cells: int, place: str) -> None:
    """Refuse a grid that is larger than anyone means to run."""
    if cells > MAX_CELLS:
        raise SuiteError(
            f"{place}: the grid has {cells:,} cells, at most {MAX_CELLS:,} are allowed"
        )


def load(name_or_path: str) -> Suite:
    """Read the suite called ``name_or_path``, or the ``.yaml`` file at that path.

    Raises:
        UsageError: no suite has that name, or the file does not exist.
        SuiteError: the file breaks a rule; the message says which key and what was expected.
    """
    path = _file_of(name_or_path)
    document = suitefile.read(path)
    return _parse(suitefile.Section(document, paths.shown(path)), path)


def _file_of(name_or_path: str) -> Path:
    if not name_or_path.endswith((".yaml", ".yml")) and "/" not in name_or_path:
        return registry.locate("suite", name_or_path)
    path = Path(name_or_path).expanduser().absolute()
    if not path.is_file():
        raise UsageError(f"{name_or_path}: there is no such suite file")
    if path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{name_or_path}: a suite file ends in .yaml")
    if not registry.NAME.fullmatch(path.stem):
        raise UsageError(
            f"{name_or_path}: a suite is named by letters and digits, joined by single "
            "'-', '_' or '.'; rename the file"
        )
    return path


def _parse(section: suitefile.Section, path: Path) -> Suite:
    section.allow(
        required=("title", "protocol", "methods", "encoders", "shifts", "seeds"),
        optional=(
            *("summary", "exclude", "priority", "budget", "checkpoints"),
            *("reference_encoder", "tables", "claims", "protocols", "provenance"),
        ),
    )
    axes = {
        "methods": section.names("methods", "method"),
        "encoders": section.names("encoders", "encoder"),
        "shifts": section.names("shifts", "shift"),
    }
    seeds = section.seeds("seeds")
    cells = len(seeds)
    for values in axes.values():
        cells *= len(values)
    check_size(cells, section.place)
    grid = {axis: seeds if axis == "seed" else axes[key] for axis, key in AXES.items()}
    return Suite(
        name=path.stem,
        title=section.text("title"),
        summary=section.text("summary") if section.has("summary") else "",
        protocol=section.name("protocol", "protocol"),
        **axes,
        seeds=seeds,
        excluded=exclusions(section, grid),
        budget=budget_of(section),
        checkpoints=checkpoints_of(section),
        path=path,
        priority=priorities(section, grid),
        reference_encoder=(
            str(section.member("reference_encoder", axes["encoders"]))
            if section.has("reference_encoder")
            else ""
        ),
        tables=table_names.chosen(section),
        claims=section.names("claims", "claim") if section.has("claims") else (),
        protocols=protocols(section, axes["methods"]),
        provenance=section.texts("provenance") if section.has("provenance") else {},
    )

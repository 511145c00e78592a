"""What a training step costs by itself, from the profiles that lie beside a suite's records."""

from __future__ import annotations

from collections.abc import Callable

from benchmark.probes import Probe
from benchmark.report.grid import Grid
from benchmark.report.model import Column, Quantity, Row, Section, Table, TableCell
from benchmark.report.tables.wording import row_keys

MEASURED: tuple[tuple[Quantity, Callable[[Probe], float | None]], ...] = (
    (Quantity("step_seconds", "s/iter", 3), lambda probe: probe.seconds_per_iteration),
    (Quantity("step_peak_memory_mib", "peak memory (MiB)", 0), lambda probe: probe.peak_memory_mib),
    (Quantity("step_parameters_m", "parameters (M)", 2), lambda probe: probe.parameters / 1e6),
    (Quantity("gmacs_forward", "GMACs forward", 1), lambda probe: probe.gmacs_forward),
    (Quantity("gmacs_step", "GMACs step", 1), lambda probe: probe.gmacs_step),
)
"""What a profile measures, in the order of the columns."""


def profile(grid: Grid) -> Table:
    """A training step of every method and encoder that was profiled, a section a machine.

    Read: in a section rows compare where crop, batch and precision agree, since all was measured
    alone on one machine. Multiply-adds do not depend on the machine: those of the forward pass are
    what inference takes for an image, those of the step what training takes for an iteration.
    """
    found: dict[str, list[Row]] = {}
    for method in grid.methods:
        for encoder in grid.encoders:
            for probe in grid.probes:
                if (probe.method, probe.encoder) == (method.name, encoder.name):
                    crop = f"{probe.size[0]}x{probe.size[1]}, {probe.batch}, {probe.precision}"
                    cells = tuple(_cell(quantity, of(probe)) for quantity, of in MEASURED)
                    keys = (*row_keys(method, encoder), ("step", crop))
                    row = Row((method.title, encoder.title, crop), cells, keys, ranked=False)
                    found.setdefault(probe.machine, []).append(row)
    columns = tuple(Column(quantity.title, quantity) for quantity, _ in MEASURED)
    caption = (
        "Of 'udabench profile': one step by itself, the median of its repeats.",
        "GMACs are multiply-adds of encoder and decoder: forward for one crop, step for one "
        "iteration with its backward passes.",
        "Parameters are the student's.",
    )
    return Table(
        name="profile",
        title=f"{grid.title}: cost of a step",
        caption=caption if found else ("No profile lies beside the records.",),
        sections=tuple(
            Section(machine, ("Method", "Encoder", "Crop, batch, precision"), columns, tuple(rows))
            for machine, rows in found.items()
        ),
        notes=(),
    )


def _cell(quantity: Quantity, value: float | None) -> TableCell:
    if value is None:
        return TableCell(quantity, "inapplicable")
    return TableCell(quantity, "done", value=float(value), n=1, expected=1)

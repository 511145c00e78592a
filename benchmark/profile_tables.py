"""The overhead tables of a profile, as Markdown that also reads well on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.profile_results import Row

_COSTS = (
    *("method", "encoder", "crop", "precision", "batch", "parameters, M", "GMACs forward"),
    *("GMACs step", "s/iter", "low-high", "images/s", "peak MiB", "of matrix rate", "waits"),
)
_RATIOS = (
    *("method", "encoder", "crop", "precision", "s/iter", "baseline s/iter", "times faster"),
    *("low-high", "peak MiB", "baseline peak MiB", "memory ratio", "loss difference"),
)


def markdown(document: Mapping[str, Any]) -> str:
    """All tables of a profile's document, each with a line that says what it shows."""
    rows: Sequence[Row] = document["rows"]
    done = [row for row in rows if row["state"] == "done"]
    parts = [_heading(document)]
    if done:
        parts += [_costs(done), _COSTS_CAPTION, _phases(done), _PHASES_CAPTION]
    against = [row for row in done if "baseline" in row]
    if against:
        parts += [_ratios(against), _RATIOS_CAPTION]
    parts += [
        f"{row['method']} / {row['encoder']}: not measured, {row['reason']}"
        for row in rows
        if row["state"] != "done"
    ]
    return "\n\n".join(parts) + "\n"


_COSTS_CAPTION = (
    "GMACs are multiply-adds of matrix products and convolutions, forward for one image through "
    "encoder and decoder, step for one whole training step with its backward passes. s/iter is "
    "the median over the repeats. Images are those of both domains. Memory on a processor is that "
    "of the whole process, libraries included. The rate is that of the step's multiply-adds, "
    "compared with a large matrix product on the same device. Waits are operations of a step, at "
    "most, whose result the host would wait for with a GPU."
)
_PHASES_CAPTION = (
    "Share of a step's time by phase, in percent. A backward pass belongs to its term; that of the "
    "feature distance is made with the source's. Watching is what the timing of phases added to a "
    "step."
)
_RATIOS_CAPTION = (
    "The baseline is the same step written the plain way in fp32 (`mmseg_ext.profiling."
    "plain_steps`), taken in turn with the real one in one process; ratios are medians of those of "
    "the single repeats. Memory was measured in a process of its own for each; its ratio leaves "
    "out what the process held before there was a network. The loss difference is relative, with "
    "equal weights, images and draws."
)


def _heading(document: Mapping[str, Any]) -> str:
    terms, machine = document["terms"], document["machine"]
    devices = sorted({row["device"] for row in document["rows"] if "device" in row})
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"`{document['command']}`: protocol {document['protocol']}, {terms['repeats']} repeats of "
        f"{terms['steps']} steps after {terms['warmup']}, {terms['threads']} threads, on "
        f"{', '.join(devices) or 'no device'}. {machine['processor'] or 'Processor unknown'}, "
        f"{machine['cores']} cores, {machine['memory_gib']:.0f} GiB; Python {machine['python']}, "
        f"{packages}."
    )


def _costs(rows: Sequence[Row]) -> str:
    table = []
    for row in rows:
        pace = row["seconds_per_iteration"]
        table.append(
            (
                *_name(row),
                row["batch"],
                f"{row['parameters'] / 1e6:.1f}",
                f"{row['gmacs_forward']:.3g}",
                f"{row['gmacs_step']:.4g}",
                f"{pace['median']:.4g}",
                f"{pace['low']:.4g}-{pace['high']:.4g}",
                f"{row['images_per_second']:.3g}",
                f"{row['peak_memory_mib']:,.0f}",
                f"{100 * row['utilisation']['of_matrix_rate']:.0f} %",
                sum(row["waits"].values()),
            )
        )
    return _pipe(_COSTS, table, texts=4)


def _phases(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row["phases"]))
    table = [
        (
            row["method"],
            row["encoder"],
            *(f"{100 * row['phases'][n]:.1f}" if n in row["phases"] else "" for n in names),
            f"{100 * (row['watching']['median'] - 1):+.1f}",
        )
        for row in rows
    ]
    return _pipe(("method", "encoder", *names, "watching"), table, texts=2)


def _ratios(rows: Sequence[Row]) -> str:
    table = []
    for row in rows:
        base = row["baseline"]
        faster, ratio = base["speedup"], base["memory_ratio"]
        table.append(
            (
                *_name(row),
                f"{row['seconds_per_iteration']['median']:.4g}",
                f"{base['seconds_per_iteration']['median']:.4g}",
                f"{faster['median']:.2f}",
                f"{faster['low']:.2f}-{faster['high']:.2f}",
                _mib(base["own_peak_memory_mib"]),
                _mib(base["peak_memory_mib"]),
                "" if ratio is None else f"{ratio:.2f}",
                f"{base['loss_difference']:.1e}",
            )
        )
    return _pipe(_RATIOS, table, texts=4)


def _name(row: Row) -> tuple[str, str, str, str]:
    height, width = row["size"]
    return row["method"], row["encoder"], f"{height}x{width}", row["precision"]


def _mib(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _pipe(heads: Sequence[str], table: Sequence[Sequence[Any]], texts: int) -> str:
    from tabulate import tabulate

    aligned = ["left"] * texts + ["right"] * (len(heads) - texts)
    return tabulate(table, heads, tablefmt="pipe", disable_numparse=True, colalign=aligned)

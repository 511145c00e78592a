"""An estimate for people."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.estimate import Estimate, GroupEstimate


def lines(found: Estimate, price_per_hour: float | None) -> list[str]:
    """The estimate for people; empty where nothing is due."""
    if not found.cells:
        return []
    told = [_line(group) for group in found.groups if group.hours is not None]
    told += _unknown([group for group in found.groups if group.hours is None])
    if found.unknown < found.cells:
        total = f"in all {_amount(found.hours, found.spread)} device hours"
        if found.spread is None:
            total += " (spread unknown)"
        total += f", {found.disk_mib:,.0f} MiB on disk"
        if price_per_hour is not None:
            total += f", price {_amount(found.price or 0.0, found.price_spread)}"
        if found.unknown:
            total += f", without {found.unknown} cells of unknown cost"
        told.append(total)
    return told


def _unknown(groups: Sequence[GroupEstimate]) -> list[str]:
    if not groups:
        return []
    names = [f"{group.method} / {group.encoder}" for group in groups]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return [
        f"cost of {shown} unknown: a probe would tell ('udabench run' with --only, --seeds 1, "
        "--iterations 20 and --out DIR, then 'udabench plan' with --costs-from DIR; or without "
        "data 'udabench profile' with --suite and --json FILE, then --costs-from FILE)"
    ]


def _line(group: GroupEstimate) -> str:
    name = f"{group.method} / {group.encoder}: {group.cells} due"
    basis = f"{group.records} {'record' if group.records == 1 else 'records'}"
    if group.probes:
        basis = f"{group.probes} {'profile' if group.probes == 1 else 'profiles'}, training only"
    where = "" if group.probes else f" of {', '.join(group.suites)}"
    where += f" on {', '.join(group.devices)}" if group.devices else ""
    return (
        f"{name}, {_amount(group.hours or 0.0, group.spread)} device hours, "
        f"peak {group.peak_memory_mib or 0.0:,.0f} MiB, disk {group.disk_mib or 0.0:,.0f} MiB "
        f"(from {basis}{where})"
    )


def _amount(value: float, spread: float | None) -> str:
    digits = 3 if value < 1 else 1
    text = f"{value:,.{digits}f}"
    return text if spread is None else f"{text} ± {spread:,.{digits}f}"

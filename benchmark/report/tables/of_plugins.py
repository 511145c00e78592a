"""Tables that plugins bring: a fragment in ``tables`` names the function that makes one."""

from __future__ import annotations

import dataclasses
import importlib

from benchmark import registry
from benchmark.errors import PluginError, UsageError
from benchmark.paths import shown
from benchmark.report.grid import Grid
from benchmark.report.model import Table


def of_plugin(name: str, grid: Grid) -> Table:
    """The table whose fragment says ``build = "module:function"``, a function of a grid.

    Its ``name``, which names its files, is that of the fragment.

    Raises:
        PluginError: the fragment is broken or names no function, or the function cannot be
            imported, fails, or returns no ``Table``.
    """
    try:
        fragment = registry.find("table", name)
        named = str(fragment.require("build"))
    except UsageError as error:
        raise PluginError(str(error)) from error
    place = f"{shown(fragment.path)} ({fragment.origin})"
    module, colon, function = named.partition(":")
    if not (module and colon and function):
        raise PluginError(f"{place}: build must be 'module:function', found {named!r}")
    try:
        made = getattr(importlib.import_module(module), function)(grid)
    except Exception as error:
        raise PluginError(
            f"{place}: {module}:{function} fails with {type(error).__name__}: {error}; mend it, or "
            "take the table out of the suite's key 'tables'"
        ) from error
    if not isinstance(made, Table):
        raise PluginError(
            f"{place}: {module}:{function} must return a benchmark.report.model.Table, found "
            f"{type(made).__name__}"
        )
    return dataclasses.replace(made, name=name)

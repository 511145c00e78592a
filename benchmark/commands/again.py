"""The command that hints name: for the same cells and places as the one that was given."""

from __future__ import annotations

import argparse
import shlex

from benchmark.surface import options_of


def command(parsed: argparse.Namespace, name: str, **changed: object) -> str:
    """The command ``name`` with every option of ``parsed`` that it knows too.

    Defaults are left out, so that what a person typed in a short way stays short.

    Args:
        parsed: a command's options, its suite among them.
        name: the command to write, such as ``run``.
        changed: values that differ from those of ``parsed``.
    """
    values = {**vars(parsed), **changed}
    words = ["udabench", *(w for module in values.get("plugin", ()) for w in ("--plugin", module))]
    words += [name, values["suite"]]
    for option in options_of(name):
        value = values.get(option.dest, option.default)
        if value == option.default:
            continue
        flag = option.option_strings[-1]
        for each in value if isinstance(value, list) else [value]:
            words += [flag] if each is True else [flag, str(each)]
    return shlex.join(words)

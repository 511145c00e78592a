"""The surface of the command line: which commands and options there are."""

from __future__ import annotations

import argparse

from benchmark import __version__
from benchmark.surface.costs import profile
from benchmark.surface.exports import exports
from benchmark.surface.extending import extending
from benchmark.surface.options import DEFAULT_OUT, EPILOG, command, json, several
from benchmark.surface.suites import cell, suites
from benchmark.surface.things import catalogue, data, weight_files


def parser() -> argparse.ArgumentParser:
    """The whole surface of the command line."""
    top = argparse.ArgumentParser(
        prog="udabench",
        description="A benchmark for unsupervised domain adaptation in semantic segmentation.",
        epilog=EPILOG,
    )
    top.add_argument("--version", action="version", version=f"udabench {__version__}")
    _plugin(top)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    catalogue(commands)
    suites(commands)
    cell(commands)
    profile(commands)
    extending(commands)
    exports(commands)
    data(commands)
    weight_files(commands)
    doctor = command(commands, "doctor", "doctor", "run", "check this machine and environment")
    doctor.add_argument("--out", metavar="DIR", default=DEFAULT_OUT, help="results folder")
    json(doctor)
    return top


def options_of(name: str) -> list[argparse.Action]:
    """The options of the command ``name``, help aside.

    Raises:
        KeyError: there is no such command.
    """
    (commands,) = (a for a in parser()._actions if isinstance(a, Commands))
    taken: list[argparse.Action] = commands.choices[name]._actions
    return [each for each in taken if each.option_strings and each.dest != "help"]


def plugin_options() -> argparse.ArgumentParser:
    """The option that may stand anywhere, before the command or behind it; the rest is let pass."""
    made = argparse.ArgumentParser(prog="udabench", add_help=False, allow_abbrev=False)
    _plugin(made)
    return made


def _plugin(made: argparse.ArgumentParser) -> None:
    several(made, "--plugin", "MODULE", "use what this module and its folder configs bring")


Commands = argparse._SubParsersAction  # the only name argparse has for it

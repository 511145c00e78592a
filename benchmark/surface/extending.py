"""Commands for those who add a method or an encoder."""

from __future__ import annotations

import argparse

from benchmark.surface.options import Commands, command, json


def extending(commands: Commands[argparse.ArgumentParser]) -> None:
    """The conformance kit and the packages to begin from."""
    made = command(
        commands, "check", "check", "run", "check that a method or an encoder keeps the rules"
    )
    made.add_argument("name", metavar="NAME", help="its name, or KIND/NAME")
    made.add_argument(
        "--with",
        dest="with_",
        metavar="NAME",
        help="encoder to check a method with (default resnet-mini), method for an encoder (dacs)",
    )
    json(made)
    made = command(commands, "new", "new", "run", "write a small package to begin from")
    made.add_argument("kind", choices=("method", "encoder"), help="what it is to bring")
    made.add_argument("name", metavar="NAME", help="a Python identifier that is not taken")
    made.add_argument(
        "--to", metavar="DIR", default=".", help="folder that its own goes into (default: here)"
    )

"""Commands for those who add a method or an encoder."""

from __future__ import annotations

import argparse

from benchmark.surface.options import Commands, command, json


def extending(commands: Commands[argparse.ArgumentParser]) -> None:
    """The conformance kit."""
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

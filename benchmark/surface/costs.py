"""Commands that measure what training costs."""

from __future__ import annotations

import argparse

from benchmark.argument_types import count, natural
from benchmark.surface.options import Commands, command, several


def profile(commands: Commands[argparse.ArgumentParser]) -> None:
    """The cost of a training step."""
    made = command(
        commands, "profile", "profile", "run", "measure what a training step costs, without data"
    )
    made.add_argument(
        "--suite",
        default="demo",
        metavar="SUITE",
        help="whose protocol, methods and encoders (default %(default)s)",
    )
    several(made, "--method", "NAME", "this method instead of the suite's")
    several(made, "--encoder", "NAME", "this encoder instead of the suite's, as in run")
    made.add_argument("--protocol", metavar="NAME", help="instead of the suite's")
    made.add_argument("--crop", type=count, metavar="N", help="images of NxN, not the protocol's")
    made.add_argument(
        "--precision", choices=("fp32", "bf16"), help="default: what protocol and encoder ask for"
    )
    made.add_argument(
        "--batch", type=count, metavar="N", help="images of each domain (default: the protocol's)"
    )
    for option, default, what in (
        ("--steps", 20, "timed steps of a repeat"),
        ("--warmup", 5, "steps before the first repeat"),
        ("--repeats", 3, "repeats"),
        ("--threads", 1, "arithmetic threads"),
    ):
        kind = natural if option == "--warmup" else count
        help = f"{what} (default %(default)s)"
        made.add_argument(option, type=kind, default=default, metavar="N", help=help)
    made.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default cpu")
    made.add_argument(
        "--against",
        choices=("baseline",),
        help="also take the same step written the plain way, and print ratios",
    )
    made.add_argument("--json", metavar="FILE", help="write everything that was found")

"""Commands that make files of what cells predict."""

from __future__ import annotations

import argparse

from benchmark.argument_types import count, natural
from benchmark.surface.options import EPILOG, Commands, command, data_root, overrides, suite_options

LAYOUTS = ("cityscapes", "acdc", "plain")


def exports(commands: Commands[argparse.ArgumentParser]) -> None:
    """Predictions for servers, examples for the report."""
    group = commands.add_parser("export", help="write predictions of done cells", epilog=EPILOG)
    actions = group.add_subparsers(metavar="ACTION", required=True)
    made = command(
        actions, "predictions", "export", "predictions", "predict every image of a domain"
    )
    made.add_argument("suite", metavar="SUITE", help="suite name or .yaml file")
    made.add_argument("--cell", required=True, metavar="ID", help="its name in the results")
    made.add_argument("--domain", required=True, metavar="NAME", help="as listed")
    made.add_argument("--to", required=True, metavar="DIR", help="a new folder, or to go on in")
    made.add_argument("--split", metavar="NAME", help="such as test (default: what is scored)")
    made.add_argument(
        "--layout", choices=LAYOUTS, help="whose server they are for (default: the data set's)"
    )
    made.add_argument("--colour", action="store_true", help="also in colours, for looking")
    made.add_argument("--zip", action="store_true", help="also as the archive to hand in")
    overrides(made)
    _machine(made)
    made = command(
        actions, "examples", "export", "example_images", "predict the example images of the report"
    )
    suite_options(made)
    _machine(made)


def _machine(made: argparse.ArgumentParser) -> None:
    data_root(made)
    made.add_argument(
        "--device", choices=("cpu", "cuda"), help="default: cuda if there is one, else cpu"
    )
    made.add_argument("--threads", type=count, default=1, metavar="N", help="default 1")
    made.add_argument("--workers", type=natural, default=0, metavar="N", help="loading processes")

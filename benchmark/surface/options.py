"""Options that several commands share."""

from __future__ import annotations

import argparse

from benchmark.argument_types import count

DEFAULT_OUT = "results/local"
EPILOG = "exit codes: 0 all done, 1 a cell failed, 2 usage, 3 incomplete, 130 interrupted"

Commands = argparse._SubParsersAction  # the only name argparse has for it


def command(
    commands: Commands[argparse.ArgumentParser], name: str, module: str, function: str, help: str
) -> argparse.ArgumentParser:
    """A command whose work is a function of a module of ``benchmark.commands``."""
    made = commands.add_parser(name, help=help, description=help, epilog=EPILOG)
    made.set_defaults(module=module, function=function)
    return made


def several(made: argparse.ArgumentParser, option: str, metavar: str, help: str) -> None:
    """An option that may be given repeatedly."""
    made.add_argument(
        option, action="append", default=[], metavar=metavar, help=f"{help} (repeatable)"
    )


def suite_options(made: argparse.ArgumentParser) -> None:
    """The suite and what changes its grid."""
    made.add_argument("suite", metavar="SUITE", help="suite name or .yaml file")
    grid_options(made)


def grid_options(made: argparse.ArgumentParser) -> None:
    """What changes the grid of a suite."""
    several(made, "--only", "KEY=VALUE", "restrict the grid: method=dacs+oracle,encoder=...")
    overrides(made)


def overrides(made: argparse.ArgumentParser) -> None:
    """Where results are and what replaces the suite's own axes."""
    made.add_argument(
        "--out", metavar="DIR", default=DEFAULT_OUT, help="results folder (default %(default)s)"
    )
    made.add_argument("--seeds", type=count, metavar="N", help="use the seeds 0 to N-1")
    made.add_argument("--iterations", type=count, metavar="N", help="replace the training length")
    made.add_argument(
        "--encoder",
        action="append",
        default=[],
        metavar="NAME",
        help="use this encoder instead of the suite's: a name of the list, "
        "open_clip:MODEL/TAG or timm:MODEL.TAG (repeatable)",
    )


def accept(made: argparse.ArgumentParser) -> None:
    """Stale results that may stand."""
    text = "let this stale result stand, with a foot-note in the tables"
    several(made, "--accept-stale", "CELL|all", text)


def data_root(made: argparse.ArgumentParser) -> None:
    """Where downloaded data sets are."""
    made.add_argument("--data-root", metavar="DIR", help="folder of downloaded data sets")


def weights(made: argparse.ArgumentParser, *, download: bool = False) -> None:
    """Where weight files are."""
    made.add_argument(
        "--weights", metavar="DIR", help="folder of encoders' weights (default $UDABENCH_WEIGHTS)"
    )
    if download:
        made.add_argument(
            "--download-weights", action="store_true", help="fetch missing ones from their hub"
        )


def training(made: argparse.ArgumentParser) -> None:
    """How a training step is computed on a device: never what it computes."""
    made.add_argument(
        "--accumulate",
        type=count,
        default=1,
        metavar="N",
        help="train on each batch in N slices, for a device that cannot hold it: one step a batch, "
        "at the same learning rates (default 1)",
    )
    # Recomputed blocks keep Python state that a compiler does not follow.
    either = made.add_mutually_exclusive_group()
    either.add_argument(
        "--checkpoint-activations",
        action="store_true",
        help="compute the encoder's blocks again in the backward pass, to save memory",
    )
    either.add_argument(
        "--compile",
        action="store_true",
        help="compile the networks for training (torch.compile); EVA02 encoders are left out",
    )


def json(made: argparse.ArgumentParser) -> None:
    """Output for programs."""
    made.add_argument("--json", action="store_true", help="print JSON for programs")

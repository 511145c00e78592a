"""The command line: its surface only. Each command's work is a module of ``benchmark.commands``.

Exit codes: 0 all done, 1 a cell failed, 2 usage, 3 incomplete, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from benchmark.argument_types import count as _count
from benchmark.argument_types import natural as _natural
from benchmark.argument_types import price as _price
from benchmark.errors import UdabenchError, UsageError

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130

LISTED = (
    *("methods", "encoders", "shifts", "domains", "datasets"),
    *("evaluations", "protocols", "suites"),
)
DEFAULT_OUT = "results/local"
WORLDS = ("minidrive",)
EPILOG = "exit codes: 0 all done, 1 a cell failed, 2 usage, 3 incomplete, 130 interrupted"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parsed = parser().parse_args(arguments)
    try:
        command = importlib.import_module(f"benchmark.commands.{parsed.module}")
        code: int = getattr(command, parsed.function)(parsed)
        sys.stdout.flush()
        return code
    except UsageError as error:
        return _complain(error, EXIT_USAGE)
    except UdabenchError as error:
        return _complain(error, EXIT_FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader has gone (a pager, head): let the interpreter's last flush go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        return _complain(error, EXIT_FAILED)


def _complain(problem: object, code: int) -> int:
    print(f"udabench: {problem}", file=sys.stderr)
    return code


def parser() -> argparse.ArgumentParser:
    """The whole surface of the command line."""
    top = argparse.ArgumentParser(
        prog="udabench",
        description="A benchmark for unsupervised domain adaptation in semantic segmentation.",
        epilog=EPILOG,
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _catalogue(commands)
    _suites(commands)
    _cell(commands)
    _data(commands)
    _weight_files(commands)
    doctor = _command(commands, "doctor", "doctor", "run", "check this machine and environment")
    doctor.add_argument("--out", metavar="DIR", default=DEFAULT_OUT, help="results folder")
    _json(doctor)
    return top


Commands = argparse._SubParsersAction  # the only name argparse has for it


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, module: str, function: str, help: str
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=help, description=help, epilog=EPILOG)
    made.set_defaults(module=module, function=function)
    return made


def _catalogue(commands: Commands[argparse.ArgumentParser]) -> None:
    made = _command(commands, "list", "catalogue", "list_all", "list what there is")
    made.add_argument("kind", nargs="?", choices=LISTED, help="only this kind")
    _json(made)
    made = _command(commands, "show", "catalogue", "show", "print the card of anything listed")
    made.add_argument("name", metavar="NAME", help="its name, or KIND/NAME")
    _json(made)


def _suites(commands: Commands[argparse.ArgumentParser]) -> None:
    made = _command(commands, "plan", "planning", "plan", "show a suite's cells before running")
    _suite_options(made)
    _data_root(made)
    _weights(made)
    _several(made, "--costs-from", "DIR", "results folder whose records tell costs too")
    made.add_argument(
        "--price-per-hour", type=_price, metavar="X", help="of a device, to tell what is due costs"
    )
    _json(made)
    made = _command(commands, "run", "run", "run", "run what a suite is missing, print its tables")
    _suite_options(made)
    _accept(made)
    _data_root(made)
    _weights(made, download=True)
    made.add_argument(
        "--engine", choices=("pool", "inline", "slurm"), default="pool", help="where it runs"
    )
    made.add_argument(
        "--devices", metavar="IDS", help="cpu, or GPUs: 0,1,GPU-uuid,MIG-... (default: all GPUs)"
    )
    made.add_argument(
        "--devices-per-cell",
        type=_count,
        default=1,
        metavar="N",
        help="devices (on the processor: processes) that share each cell (default 1)",
    )
    made.add_argument(
        "--threads", type=_count, default=1, metavar="N", help="threads of a cell (default 1)"
    )
    made.add_argument(
        "--rerun",
        action="append",
        default=[],
        choices=("failed", "stale"),
        help="run these cells again too (repeatable)",
    )
    _slurm(made)
    made = _command(commands, "cancel", "cancel", "run", "cancel a suite's Slurm jobs")
    _suite_options(made)
    _data_root(made)
    _rehearse(commands)
    made = _command(commands, "status", "planning", "status", "show the state of a suite's cells")
    _suite_options(made)
    _accept(made)
    _data_root(made)
    _json(made)
    made = _command(commands, "report", "planning", "report", "write and print a suite's tables")
    _suite_options(made)
    _data_root(made)
    _accept(made)


def _accept(made: argparse.ArgumentParser) -> None:
    text = "let this stale result stand, with a foot-note in the tables"
    _several(made, "--accept-stale", "CELL|all", text)


def _several(made: argparse.ArgumentParser, option: str, metavar: str, help: str) -> None:
    made.add_argument(
        option, action="append", default=[], metavar=metavar, help=f"{help} (repeatable)"
    )


def _slurm(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("with --engine slurm")
    group.add_argument(
        "--slurm",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="partition, account, qos, constraint; of each cell gpus (default 1), cpus, mem (GiB), "
        "time (minutes or D-HH:MM:SS); parallel (cells at a time), warning (seconds before the "
        "time limit), extensions (of the time), requeues, resubmissions, poll (seconds). "
        "Comma-separated, repeatable; $UDABENCH_SLURM holds defaults",
    )
    group.add_argument(
        "--sbatch",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other option of sbatch (repeatable)",
    )
    group.add_argument("--no-wait", action="store_true", help="end when the jobs are submitted")


def _rehearse(commands: Commands[argparse.ArgumentParser]) -> None:
    made = _command(
        commands, "rehearse", "rehearse", "run", "try a suite's cells briefly, without its data"
    )
    _suite_options(made)
    _weights(made)
    made.add_argument("--devices", metavar="IDS", help="as for run")
    made.add_argument("--threads", type=_count, default=1, metavar="N", help="default 1")
    made.add_argument(
        "--images", type=_count, default=2, metavar="N", help="images of each split (default 2)"
    )
    made.add_argument(
        "--shrink", type=_count, metavar="N", help="crops 1/N as wide (default: 8 on a processor)"
    )
    made.add_argument("--keep", metavar="DIR", help="keep records and logs in this new folder")
    _json(made)


def _cell(commands: Commands[argparse.ArgumentParser]) -> None:
    made = _command(commands, "cell", "cell", "run", "run one cell in this process")
    made.add_argument("id", metavar="ID", help="its name in the results, or its identity")
    made.add_argument("--suite", required=True, help="suite name or .yaml file")
    _overrides(made)
    _data_root(made)
    _weights(made, download=True)
    made.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default cpu")
    made.add_argument("--threads", type=_count, default=1, metavar="N", help="default 1")
    made.add_argument("--workers", type=_natural, default=0, metavar="N", help="loading processes")
    made.add_argument(
        "--accumulate",
        type=_count,
        default=1,
        metavar="N",
        help="train on each batch in N slices, for a device that cannot hold it (default 1)",
    )


def _data(commands: Commands[argparse.ArgumentParser]) -> None:
    group = commands.add_parser("data", help="data sets, downloaded and generated", epilog=EPILOG)
    actions = group.add_subparsers(metavar="ACTION", required=True)
    made = _command(actions, "preview", "data", "preview", "write a contact sheet (PNG)")
    made.add_argument("world", choices=WORLDS)
    made.add_argument("--out", metavar="FILE", default="minidrive.png", help="default %(default)s")
    made = _command(actions, "prepare", "data", "prepare", "generate everything into the cache")
    made.add_argument("world", choices=WORLDS)
    made = _command(actions, "check", "data_check", "run", "read every file and judge it")
    _domains(made)
    _json(made)
    made = _command(actions, "stats", "data_stats", "run", "count the classes of training labels")
    _domains(made)
    _json(made)
    made = _command(actions, "cache", "data_cache", "run", "store images at training size, fast")
    _domains(made)
    made.add_argument("--protocol", metavar="NAME", default="daformer", help="default %(default)s")
    made.add_argument("--with-labels", action="store_true", help="of targets too, for the oracle")
    instead = made.add_mutually_exclusive_group()
    instead.add_argument("--verify", action="store_true", help="only compare checksums of files")
    instead.add_argument("--remove", action="store_true", help="only remove the files")
    _export(actions)


def _domains(made: argparse.ArgumentParser) -> None:
    made.add_argument("domains", nargs="*", metavar="DOMAIN", help="default: all that are there")
    _data_root(made)
    made.add_argument("--processes", type=_count, metavar="N", help="default: all cores")


def _export(actions: Commands[argparse.ArgumentParser]) -> None:
    made = _command(
        actions, "export-minidrive", "data_export", "run", "write MiniDrive as another data set"
    )
    made.add_argument("out", metavar="OUT", help="a data root: the data set becomes a folder in it")
    made.add_argument("--layout", required=True, metavar="DATASET", help="such as gta5")
    made.add_argument("--variant", metavar="NAME", help="one of its layouts (default: the first)")
    made.add_argument("--images", type=_count, default=4, metavar="N", help="per split, default 4")
    made.add_argument("--size", metavar="WxH", help="default: as published")
    made.add_argument("--zip", action="store_true", help="write archives, as they are downloaded")
    made.add_argument("--seed", type=_natural, default=0, metavar="N", help="default 0")


def _weight_files(commands: Commands[argparse.ArgumentParser]) -> None:
    group = commands.add_parser("weights", help="weight files of encoders", epilog=EPILOG)
    actions = group.add_subparsers(metavar="ACTION", required=True)
    made = _command(actions, "check", "weights", "check", "tell whether a file loads whole")
    made.add_argument("encoder", metavar="ENCODER", help="as in --encoder of run")
    made.add_argument("file", metavar="FILE", help="the weight file")
    _json(made)


def _suite_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("suite", metavar="SUITE", help="suite name or .yaml file")
    _several(made, "--only", "KEY=VALUE", "restrict the grid: method=dacs+oracle,encoder=...")
    _overrides(made)


def _overrides(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--out", metavar="DIR", default=DEFAULT_OUT, help="results folder (default %(default)s)"
    )
    made.add_argument("--seeds", type=_count, metavar="N", help="use the seeds 0 to N-1")
    made.add_argument("--iterations", type=_count, metavar="N", help="replace the training length")
    made.add_argument(
        "--encoder",
        action="append",
        default=[],
        metavar="NAME",
        help="use this encoder instead of the suite's: a name of the list, "
        "open_clip:MODEL/TAG or timm:MODEL.TAG (repeatable)",
    )


def _data_root(made: argparse.ArgumentParser) -> None:
    made.add_argument("--data-root", metavar="DIR", help="folder of downloaded data sets")


def _weights(made: argparse.ArgumentParser, *, download: bool = False) -> None:
    made.add_argument(
        "--weights", metavar="DIR", help="folder of encoders' weights (default $UDABENCH_WEIGHTS)"
    )
    if download:
        made.add_argument(
            "--download-weights", action="store_true", help="fetch missing ones from their hub"
        )


def _json(made: argparse.ArgumentParser) -> None:
    made.add_argument("--json", action="store_true", help="print JSON for programs")

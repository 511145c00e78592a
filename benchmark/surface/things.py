"""Commands about what there is, data sets and weight files."""

from __future__ import annotations

import argparse

from benchmark.argument_types import count, natural
from benchmark.surface.options import (
    EPILOG,
    Commands,
    command,
    data_root,
    json,
    weights,
)

LISTED = (
    *("methods", "encoders", "shifts", "domains", "datasets"),
    *("evaluations", "protocols", "tables", "claims", "suites"),
)
WORLDS = ("minidrive",)


def catalogue(commands: Commands[argparse.ArgumentParser]) -> None:
    """Lists and cards."""
    made = command(commands, "list", "catalogue", "list_all", "list what there is")
    made.add_argument("kind", nargs="?", choices=LISTED, help="only this kind")
    json(made)
    made = command(commands, "show", "catalogue", "show", "print the card of anything listed")
    made.add_argument("name", metavar="NAME", help="its name, or KIND/NAME")
    json(made)


def data(commands: Commands[argparse.ArgumentParser]) -> None:
    """Data sets."""
    group = commands.add_parser("data", help="data sets, downloaded and generated", epilog=EPILOG)
    actions = group.add_subparsers(metavar="ACTION", required=True)
    made = command(actions, "preview", "data", "preview", "write a contact sheet (PNG)")
    made.add_argument("world", choices=WORLDS)
    made.add_argument("--out", metavar="FILE", default="minidrive.png", help="default %(default)s")
    made = command(actions, "prepare", "data", "prepare", "generate everything into the cache")
    made.add_argument("world", choices=WORLDS)
    made = command(actions, "check", "data_check", "run", "read every file and judge it")
    _domains(made)
    json(made)
    made = command(actions, "stats", "data_stats", "run", "count the classes of training labels")
    _domains(made)
    json(made)
    made = command(actions, "cache", "data_cache", "run", "store images at training size, fast")
    _domains(made)
    made.add_argument("--protocol", metavar="NAME", default="daformer", help="default %(default)s")
    made.add_argument("--with-labels", action="store_true", help="of targets too, for the oracle")
    instead = made.add_mutually_exclusive_group()
    instead.add_argument("--verify", action="store_true", help="only compare checksums of files")
    instead.add_argument("--remove", action="store_true", help="only remove the files")
    _export(actions)


def _domains(made: argparse.ArgumentParser) -> None:
    made.add_argument("domains", nargs="*", metavar="DOMAIN", help="default: all that are there")
    data_root(made)
    made.add_argument("--processes", type=count, metavar="N", help="default: all cores")


def _export(actions: Commands[argparse.ArgumentParser]) -> None:
    made = command(
        actions, "export-minidrive", "data_export", "run", "write MiniDrive as another data set"
    )
    made.add_argument("out", metavar="OUT", help="a data root: the data set becomes a folder in it")
    made.add_argument("--layout", required=True, metavar="DATASET", help="such as gta5")
    made.add_argument("--variant", metavar="NAME", help="one of its layouts (default: the first)")
    made.add_argument("--images", type=count, default=4, metavar="N", help="per split, default 4")
    made.add_argument("--size", metavar="WxH", help="default: as published")
    made.add_argument("--zip", action="store_true", help="write archives, as they are downloaded")
    made.add_argument("--seed", type=natural, default=0, metavar="N", help="default 0")


def weight_files(commands: Commands[argparse.ArgumentParser]) -> None:
    """Weight files."""
    group = commands.add_parser("weights", help="weight files of encoders", epilog=EPILOG)
    actions = group.add_subparsers(metavar="ACTION", required=True)
    made = command(actions, "check", "weights", "check", "tell whether a file loads whole")
    made.add_argument("encoder", metavar="ENCODER", help="as in --encoder of run")
    made.add_argument("file", metavar="FILE", help="the weight file")
    json(made)
    made = command(actions, "pretrain", "weights", "pretrain", "make weights that have a recipe")
    made.add_argument("encoders", nargs="*", metavar="ENCODER", help="default: all with a recipe")
    json(made)
    made = command(actions, "probe", "weights_probe", "run", "label MiniDrive by class names alone")
    made.add_argument("encoder", metavar="ENCODER", help="its weights come with a text tower")
    weights(made, download=True)
    json(made)

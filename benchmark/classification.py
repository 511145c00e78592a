"""Which choice is part of a cell's identity and which only says how it is run, with the reasons.

Nothing here is executed: the tables are the decisions, and tests compare them with the resolved
configurations, the runner's, ``Runtime``, ``Suite`` and the command line. A choice that is in none
of them fails a test, so nobody can add one without deciding.
"""

from __future__ import annotations

from collections.abc import Mapping

IDENTITY = "identity"
"""Another value answers another question: the cell gets another id."""
RUN_TIME = "run time"
"""Numbers do not depend on it, beyond what a machine's arithmetic rounds differently."""
SELECTION = "selection"
"""Says which cells there are or are meant; each of them is what it is without it."""

Table = Mapping[str, tuple[str, str]]

CONFIG: Table = {
    "default_scope": (IDENTITY, "where names of components are looked up"),
    "custom_imports": (IDENTITY, "whose components are used"),
    "model": (IDENTITY, "method, segmentor, encoder and normalisation"),
    "train_dataloader": (IDENTITY, "images, augmentation, batch size and order of training"),
    "train_cfg": (IDENTITY, "the loop and its number of iterations"),
    "optim_wrapper": (IDENTITY, "optimizers, learning rates and precision"),
    "param_scheduler": (IDENTITY, "schedules of the learning rates"),
    "test_dataloader": (IDENTITY, "what is scored, and at which size"),
    "test_cfg": (IDENTITY, "the loop that scores"),
    "test_evaluator": (IDENTITY, "how it is scored"),
    "scoring": (IDENTITY, "which classes and images the headline is a mean of"),
    "randomness": (IDENTITY, "the seed"),
    "roles": (IDENTITY, "which domain is source, target or unseen"),
    "domains": (IDENTITY, "what their data are, digested apart as the data fingerprint"),
}
"""Keys of a resolved configuration, with everything below them."""

RUNNER: Table = {
    "work_dir": (RUN_TIME, "where files are written"),
    "launcher": (RUN_TIME, "how many processes share a step, which is the same step"),
    "model_wrapper_cfg": (RUN_TIME, "what lets processes share it; see identity.PROCEDURE"),
    "log_level": (RUN_TIME, "what is printed"),
    "log_processor": (RUN_TIME, "what is printed"),
    "default_hooks": (RUN_TIME, "what is printed; MMEngine's checkpoints are off"),
    "custom_hooks": (RUN_TIME, "curves, progress, resume points; see identity.PROCEDURE"),
    "resume": (RUN_TIME, "an interrupted cell goes on bit by bit"),
    "load_from": (RUN_TIME, "an interrupted cell goes on bit by bit"),
    "num_workers": (RUN_TIME, "a sample is a function of seed and position"),
    "persistent_workers": (RUN_TIME, "a sample is a function of seed and position"),
    "prefetch_factor": (RUN_TIME, "how many batches wait; their order is that of the sampler"),
    "pin_memory": (RUN_TIME, "which memory of the host holds a batch on its way to the device"),
    "data_root": (RUN_TIME, "where the data lie; what they are is fingerprinted"),
    "cache": (RUN_TIME, "where class statistics and resized training images are kept"),
    "checkpoint": (RUN_TIME, "where the weights lie; which ones is the encoder's `pretrained`"),
}
"""Keys, at any depth, that `benchmark.runner_config` adds to a resolved configuration."""

RUNTIME: Table = {
    "device": (RUN_TIME, "where it is computed; rounding differs between devices"),
    "threads": (RUN_TIME, "how many compute; rounding may differ"),
    "workers": (RUN_TIME, "a sample is a function of seed and position"),
    "data_roots": (RUN_TIME, "where the data lie; what they are is fingerprinted"),
    "cache": (RUN_TIME, "where generated data and statistics lie"),
    "weights": (RUN_TIME, "where weight files lie"),
    "accumulate": (RUN_TIME, "a step's batch stays whole; the record and the tables say so"),
    "checkpoint_activations": (RUN_TIME, "what is kept or computed twice; gradients are equal"),
    "compile": (RUN_TIME, "how sums are rounded; draws are the same, and the record says so"),
}
"""Fields of ``benchmark.runtime.Runtime``."""

SUITE: Table = {
    "name": (SELECTION, "where results are kept"),
    "title": (RUN_TIME, "what tables are called"),
    "summary": (RUN_TIME, "what the list of suites says"),
    "protocol": (IDENTITY, "its settings are in the configuration"),
    "protocols": (IDENTITY, "as protocol, for some of the methods"),
    "methods": (SELECTION, "each method's settings are in the configuration"),
    "encoders": (SELECTION, "each encoder's settings are in the configuration"),
    "shifts": (SELECTION, "each shift's domains are in the configuration"),
    "seeds": (SELECTION, "each cell's seed is in the configuration"),
    "excluded": (SELECTION, "cells that are not run"),
    "budget": (RUN_TIME, "a cell that runs out of time has no numbers"),
    "priority": (RUN_TIME, "which cells come first"),
    "checkpoints": (RUN_TIME, "a resumed cell ends like an uninterrupted one"),
    "path": (RUN_TIME, "where the suite was read from"),
    "reference_encoder": (RUN_TIME, "what the tables compare encoders with"),
    "tables": (RUN_TIME, "which tables are shown, in which order"),
    "provenance": (RUN_TIME, "what the report says of where settings are from"),
    "claims": (RUN_TIME, "what the report puts to the test; numbers do not depend on it"),
}
"""Fields of ``benchmark.suite.Suite``."""

OPTIONS: Table = {
    "suite": (SELECTION, "see SUITE"),
    "id": (SELECTION, "which cell"),
    "plugin": (SELECTION, "what there is beside ours; who uses it names its module, see CONFIG"),
    "only": (SELECTION, "which cells"),
    "seeds": (SELECTION, "which cells"),
    "encoder": (SELECTION, "which cells"),
    "iterations": (IDENTITY, "the training length is in the configuration"),
    "out": (RUN_TIME, "where results are kept"),
    "data_root": (RUN_TIME, "where the data lie; what they are is fingerprinted"),
    "weights": (RUN_TIME, "where weight files lie"),
    "download_weights": (RUN_TIME, "whether missing ones may be fetched"),
    "engine": (RUN_TIME, "what starts the cells"),
    "devices": (RUN_TIME, "where they are computed"),
    "device": (RUN_TIME, "where they are computed"),
    "devices_per_cell": (RUN_TIME, "how many processes share a batch"),
    "accumulate": (RUN_TIME, "a step's batch stays whole; the record and the tables say so"),
    "checkpoint_activations": (RUN_TIME, "what is kept or computed twice; gradients are equal"),
    "compile": (RUN_TIME, "how sums are rounded; draws are the same, and the record says so"),
    "slurm": (RUN_TIME, "what a job may use"),
    "sbatch": (RUN_TIME, "what else Slurm is told"),
    "no_wait": (RUN_TIME, "whether the command follows the jobs"),
    "threads": (RUN_TIME, "how many compute"),
    "workers": (RUN_TIME, "how many load data"),
    "rerun": (RUN_TIME, "which finished cells are run again"),
    "accept_stale": (RUN_TIME, "told in the tables; the record keeps its own identity"),
    "costs_from": (RUN_TIME, "what an estimate is made from"),
    "price_per_hour": (RUN_TIME, "what an estimate is told in"),
    "json": (RUN_TIME, "how it is printed"),
    "open": (RUN_TIME, "what is done with the page"),
    "watch": (RUN_TIME, "how often the report is made"),
    "into": (RUN_TIME, "where the tables are printed too"),
    "no_figures": (RUN_TIME, "what the report shows"),
}
"""Options of ``udabench`` and of the commands in ``CELL_COMMANDS``, as argparse names them."""

CELL_COMMANDS = ("plan", "run", "status", "report", "cell")
OTHER_COMMANDS = (
    *("list", "show", "rehearse", "profile", "check", "new", "cancel", "probe"),
    *("export", "data", "weights", "doctor"),
)
"""Commands that neither run a cell for its numbers nor tell its state."""

VARIABLES: Table = {
    "UDABENCH_CACHE": (RUN_TIME, "where generated data and statistics lie"),
    "UDABENCH_CONFIGS": (SELECTION, "whose fragments; their values are in the configuration"),
    "UDABENCH_PLUGINS": (SELECTION, "as the option plugin, also for the processes of cells"),
    "UDABENCH_DATA_ROOT": (RUN_TIME, "where the data lie; what they are is fingerprinted"),
    "UDABENCH_WEIGHTS": (RUN_TIME, "where weight files lie"),
    "UDABENCH_KNOWN_RECORD": (RUN_TIME, "how a worker notices that others were faster"),
    "UDABENCH_SLURM": (RUN_TIME, "what a job may use"),
    "UDABENCH_PARENT_FD": (RUN_TIME, "how a worker notices that its pool has died"),
}
"""Environment variables that the project reads."""

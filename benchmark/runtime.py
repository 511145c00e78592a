"""Run-time choices: how a cell is run, never what it computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmark.data_roots import DataRoots
from benchmark.weights import WeightsFolder


@dataclass(frozen=True)
class Runtime:
    """What a worker is told about its machine; none of it is part of a cell's identity.

    ``device`` is ``cpu`` or ``cuda`` (which one is chosen by ``CUDA_VISIBLE_DEVICES``),
    ``threads`` the arithmetic threads of the process, ``workers`` its data-loading processes,
    ``data_roots`` the folders of downloaded data sets, ``cache`` the folder of generated ones,
    ``weights`` the folder of encoders' weight files and ``accumulate`` the micro-batches that a
    training step is cut into where the device cannot hold its batch. ``checkpoint_activations``
    recomputes the encoder's blocks in the backward pass, ``compile`` compiles the networks.
    """

    device: str
    threads: int
    workers: int
    data_roots: DataRoots
    cache: Path
    weights: WeightsFolder = field(default_factory=lambda: WeightsFolder(None))
    accumulate: int = 1
    checkpoint_activations: bool = False
    compile: bool = False

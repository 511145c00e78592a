"""Real ``udabench`` processes against a Slurm of the tests, and a grid of made-up cells."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from real_slurm import Cluster

from benchmark import registry

ROOT = Path(__file__).parents[2]
FAKES = ROOT / "tests/benchmark/fakes"


@dataclass
class Udabench:
    """Real ``udabench`` processes in one folder, against the cluster."""

    folder: Path
    environment: dict[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; its output is piped."""
        return subprocess.Popen(
            [sys.executable, "-m", "benchmark", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def fake_udabench(cluster: Cluster, folder: Path) -> Udabench:
    """Commands whose cells are made up (see ``tests/benchmark/fakes``), and a grid of them."""
    configs = folder / "configs"
    card = 'card = dict(title="{0}", summary="The {0} fragment.")\n'
    for name in ("good", "bad", "crash", "killed", "slow"):
        fragment(configs, f"methods/{name}", card + "rate = 1\n")
    for name in ("hungry", "ranked"):
        fragment(configs, f"methods/{name}", card + "rate = 1\nbatch = 8\n")
    for name in ("protocols/short", "encoders/small", "domains/here", "domains/far"):
        fragment(configs, name, card)
    fragment(configs, "shifts/there", card + "source = 'here'\ntarget = 'far'\nunseen = []\n")
    path = os.pathsep.join([str(FAKES), str(ROOT)])
    own = {"UDABENCH_CONFIGS": str(configs), "UDABENCH_CACHE": str(folder / "cache")}
    return Udabench(folder, {**cluster.environment, **own, "PYTHONPATH": path})


def fragment(configs: Path, name: str, text: str) -> None:
    """Write a fragment; ``{0}`` in its text becomes its name."""
    path = configs / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.format(path.stem))


def suite(folder: Path, methods: str, seeds: int = 1, more: str = "") -> None:
    """Write the suite ``grid`` below ``folder/configs``."""
    path = folder / "configs/suites/grid.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"title: Grid\nprotocol: short\nmethods: [{methods}]\nencoders: [small]\n"
        f"shifts: [there]\nseeds: {list(range(seeds))}\n{more}"
    )
    registry.forget()

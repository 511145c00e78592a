"""A real Slurm of one node: its own key, controller and node daemon in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmark import registry

ROOT = Path(__file__).parents[2]
FAKES = ROOT / "tests/benchmark/fakes"
DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
# Which of them a release accepts depends on its age and on the machine's control groups.
CGROUPS = ("CgroupPlugin=disabled", "CgroupPlugin=cgroup/v1", "", "IgnoreSystemd=yes")
CONFIGURATION = """
ClusterName=udabench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
KillWait=15
MaxArraySize=3
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
NodeName=here NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port} CPUs=32 Gres=gpu:2
PartitionName=main Nodes=here Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=here MaxTime=INFINITE State=UP PriorityTier=2
"""


@dataclass
class Cluster:
    """A running Slurm; ``environment`` lets its commands find it."""

    folder: Path
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        configuration = str(self.folder / "slurm.conf")
        return {**os.environ, "PATH": PATH, "SLURM_CONF": configuration}

    def __call__(self, *command: str) -> str:
        """What one of Slurm's commands prints."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def daemon(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a daemon in the foreground, so that it can be stopped by its number."""
        log = open(self.folder / "log" / f"{Path(command[0]).name}.out", "ab")  # noqa: SIM115
        with log:
            process = subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.daemons.append(process)
        return process

    def jobs(self) -> dict[str, str]:
        """State of every job that is not over, by id."""
        lines = self("squeue", "-h", "-r", "-o", "%i|%T").split()
        return dict(line.split("|") for line in lines)

    def stop(self) -> None:
        """End every daemon, the node's with whatever jobs are left on it."""
        if any(daemon.poll() is None for daemon in self.daemons[1:]):
            subprocess.run(
                ["scancel", "--signal=KILL", "--full", "--user=root"],
                env=self.environment,
                capture_output=True,
                timeout=30,
                check=False,
            )
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()


def until(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until ``condition`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain for: {what}"
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def obstacle() -> str:
    """Why no Slurm can be started here, empty if one can."""
    missing = [name for name in DAEMONS if shutil.which(name, path=PATH) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian's slurm-wlm and munge)"
    if os.geteuid() != 0:
        return "a Slurm of our own is started as root only"
    return ""


def start(made: Cluster) -> None:
    """Start the daemons; skips the test where this machine does not let them run."""
    folder = made.folder
    for name in ("run", "log", "state", "spool"):
        (folder / name).mkdir()
    folder.chmod(0o755)
    (folder / "run").chmod(0o711)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    controller_port, node_port = free_ports(2)
    host = socket.gethostname().partition(".")[0]
    (folder / "slurm.conf").write_text(
        CONFIGURATION.format(
            host=host, folder=folder, controller_port=controller_port, node_port=node_port
        )
    )
    # Two devices that stand for GPUs: Slurm hands them out and never opens them.
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
    munge = folder / "run/munge.socket"
    made.daemon(
        *("munged", "--foreground", "--force", f"--socket={munge}", f"--key-file={key}"),
        *(f"--pid-file={folder}/run/munged.pid", f"--seed-file={folder}/run/munged.seed"),
        f"--log-file={folder}/log/munged.log",
    )
    until(munge.exists, "munged")
    configuration = str(folder / "slurm.conf")
    (folder / "cgroup.conf").write_text("")
    made.daemon("slurmctld", "-D", "-c", "-f", configuration)
    for line in CGROUPS:
        (folder / "cgroup.conf").write_text(f"{line}\n")
        node = made.daemon("slurmd", "-D", "-c", "-N", "here", "-f", configuration)
        end = time.monotonic() + 10
        while node.poll() is None and time.monotonic() < end:
            state = subprocess.run(
                ["sinfo", "-h", "-o", "%T"],
                env=made.environment, capture_output=True, text=True, check=False,
            ).stdout.strip()  # fmt: skip
            if state == "idle":
                return
            time.sleep(0.1)
        if node.poll() is None:
            break
        made.daemons.remove(node)
    logs = "".join(path.read_text()[-1500:] for path in sorted((folder / "log").iterdir()))
    pytest.skip(f"Slurm does not start on this machine: {logs}")


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
    for name in ("protocols/short", "encoders/small", "domains/here", "domains/far"):
        fragment(configs, name, card)
    fragment(configs, "shifts/there", card + "source = 'here'\ntarget = 'far'\nunseen = []\n")
    path = os.pathsep.join([str(FAKES), str(ROOT)])
    own = {"UDABENCH_CONFIGS": str(configs), "UDABENCH_CACHE": str(folder / "cache")}
    return Udabench(folder, {**cluster.environment, **own, "PYTHONPATH": path})


def process_exists(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] not in "ZX"


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

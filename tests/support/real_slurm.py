"""A real Slurm of one node: its own key, controller and node daemon in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

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


def _lay_out(folder: Path) -> None:
    """Write the key and the configuration."""
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


def start(made: Cluster) -> None:
    """Start the daemons; skips the test where this machine does not let them run."""
    _lay_out(made.folder)
    folder = made.folder
    munge = folder / "run/munge.socket"
    made.daemon(
        *(
            "munged",
            "--foreground",
            "--force",
            f"--socket={munge}",
            f"--key-file={folder}/munge.key",
        ),
        *(f"--pid-file={folder}/run/munged.pid", f"--seed-file={folder}/run/munged.seed"),
        f"--log-file={folder}/log/munged.log",
    )
    try:
        until(munge.exists, "munged")
    except AssertionError:
        _skip(folder)
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
    _skip(folder)


def _skip(folder: Path) -> NoReturn:
    logs = "".join(path.read_text()[-1500:] for path in sorted((folder / "log").iterdir()))
    pytest.skip(f"Slurm does not start on this machine: {logs}")


def process_exists(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] not in "ZX"

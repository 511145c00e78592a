"""Kinds of failures told from exceptions, with torch's own writer on a disk that is really full."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from benchmark.failures import is_disk_full, kind_of

FULL = OSError(errno.ENOSPC, "No space left on device")


class OutOfMemoryError(RuntimeError):
    """Named as torch names it."""


class NonFiniteLossError(RuntimeError):
    """Named as mmseg_ext names it."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FULL, "disk"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk"),
        (OSError(errno.EACCES, "Permission denied"), "error"),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 0"), "disk"),
        (RuntimeError("shapes"), "error"),
        (OutOfMemoryError(), "oom"),
        (MemoryError(), "oom"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "oom"),
        (RuntimeError("CUDA error: out of memory"), "oom"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling ..."), "oom"),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "), "oom"),
        (NonFiniteLossError(), "nan"),
    ],
)
def test_each_kind(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def test_what_an_error_was_raised_for_counts() -> None:
    outer = ValueError("cannot save")
    assert not is_disk_full(outer)
    outer.__context__ = KeyError("on the way")
    outer.__context__.__cause__ = FULL
    assert is_disk_full(outer)
    loop = ValueError("a")
    loop.__context__ = KeyError("b")
    loop.__context__.__context__ = loop
    assert not is_disk_full(loop)


def test_a_loading_process_that_the_kernel_killed_is_out_of_memory() -> None:
    """As torch's loader reports it: as the cause of a second error."""
    error = RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly")
    assert kind_of(error) == "error"
    error.__cause__ = RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")
    assert kind_of(error) == "oom"


def test_torch_without_memory_on_the_processor() -> None:
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert kind_of(caught.value) == "oom"


def test_torch_on_a_full_disk(small_disk: Path) -> None:
    import numpy as np
    import torch

    tensor = torch.zeros(2_000_000)
    for write in (
        lambda: torch.save({"weights": tensor}, small_disk / "a.pth"),
        lambda: save_to_stream(tensor, small_disk / "b.pth"),
        lambda: np.savez(small_disk / "c.npz", values=tensor.numpy()),
    ):
        with pytest.raises((OSError, RuntimeError)) as caught:
            write()
        assert kind_of(caught.value) == "disk", caught.value
        for path in small_disk.iterdir():
            path.unlink()


def save_to_stream(tensor: object, path: Path) -> None:
    import torch

    with open(path, "wb") as stream:
        torch.save(tensor, stream)


def test_a_resume_point_that_does_not_fit_leaves_the_previous_one(small_disk: Path) -> None:
    import torch

    from mmseg_ext.engine.resume_point import save_resume_point

    class Runner:
        work_dir = str(small_disk)

        def save_checkpoint(self, folder: str, name: str, *, by_epoch: bool) -> None:
            torch.save(torch.zeros(2_000_000), Path(folder) / name)

    (small_disk / "resume.pth").write_text("previous")
    with pytest.raises((OSError, RuntimeError)) as caught:
        save_resume_point(Runner())
    assert kind_of(caught.value) == "disk"
    assert [path.name for path in small_disk.iterdir()] == ["resume.pth"]
    assert (small_disk / "resume.pth").read_text() == "previous"


def test_progress_that_cannot_be_written_does_not_end_a_training(small_disk: Path) -> None:
    from mmseg_ext.engine import ProgressHook

    class Runner:
        iter, max_iters = 3, 10

    with open(small_disk / "ballast", "wb", buffering=0) as stream:
        try:
            while stream.write(bytes(4096)):
                pass
        except OSError:
            pass
    hook = ProgressHook(str(small_disk / "progress.json"), period=0.0)
    hook.before_train(Runner())
    hook.after_train_iter(Runner(), 0, outputs={"loss": 1.0})
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]

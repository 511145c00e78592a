"""Run one recipe in a process of its own: ``python -m mmseg_ext.pretraining JOB FOLDER``.

JOB is a file with ``backbone`` (the encoder's configuration), ``recipe`` and ``imports`` as JSON.
FOLDER gets ``weights.safetensors``, a file for each further network, and ``facts.json``; errors are
told on the standard error stream. ``DONE TOTAL`` is printed as steps are done.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WEIGHTS, FACTS = "weights.safetensors", "facts.json"


def main(job_file: str, folder: str) -> int:
    """0: made; 1: the job cannot be done, and the last line of the error stream says why."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    import cv2
    import torch

    from mmseg_ext.errors import ExtensionError

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    cv2.setNumThreads(1)
    try:
        run(job, Path(folder))
    except (ExtensionError, TypeError, KeyError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def run(job: Mapping[str, Any], folder: Path) -> None:
    """Run the recipe and write what it made."""
    from mmengine.registry import DefaultScope
    from mmengine.utils import import_modules_from_strings
    from safetensors.torch import save_file

    from mmseg_ext.pretraining.recipe import PRETRAININGS

    import_modules_from_strings(list(job["imports"]))
    begun = time.monotonic()
    with DefaultScope.overwrite_default_scope("mmseg_ext"):
        made = PRETRAININGS.build(dict(job["recipe"])).train(job["backbone"], _print_progress())
    save_file(dict(made.weights), folder / WEIGHTS)
    for name, state in made.beside.items():
        save_file(dict(state), folder / f"{name}.safetensors")
    used = resource.getrusage(resource.RUSAGE_SELF)
    facts = {
        **made.measured,
        "seconds": round(time.monotonic() - begun, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
    }
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _print_progress() -> Any:
    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > 0.2:
            last = time.monotonic()
            print(done, total, flush=True)

    return progress


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

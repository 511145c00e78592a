"""The import shim and the safe loader, each in a fresh process or against a hostile file."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader


def in_a_new_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_importing_the_package_is_light():
    result = in_a_new_process(
        "import sys, mmseg_ext\n"
        "print(sorted({'torch', 'mmengine', 'mmcv', 'mmseg', 'numpy'} & set(sys.modules)))"
    )
    assert result.stdout.strip() == "[]", result.stderr


def test_mmseg_models_import_without_compiled_operators_and_calling_one_says_why():
    result = in_a_new_process(
        "import mmseg_ext, mmseg.models\n"
        "from mmcv.ops import nms\n"
        "import torch\n"
        "try:\n    nms(torch.rand(3, 4), torch.rand(3), 0.5)\n"
        "except RuntimeError as error:\n    print(error)"
    )
    assert "needs the compiled mmcv" in result.stdout, result.stderr


def test_components_are_found_from_a_plain_mmsegmentation_scope():
    result = in_a_new_process(
        "import mmseg_ext\n"
        "from mmengine.registry import init_default_scope\n"
        "init_default_scope('mmseg')\n"
        "from mmseg.registry import MODELS\n"
        "print(type(MODELS.build(dict(type='mmseg_ext.ResNetMini'))).__name__)"
    )
    assert result.stdout.split()[-1:] == ["ResNetMini"], result.stderr


class Attack:
    """What a hostile checkpoint does on unpickling."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_a_checkpoint_cannot_execute_code(tmp_path):
    import mmseg_ext.registry  # noqa: F401

    victim = tmp_path / "victim"
    torch.save({"state_dict": Attack(str(victim))}, tmp_path / "evil.pth")
    with pytest.raises(pickle.UnpicklingError):
        CheckpointLoader.load_checkpoint(str(tmp_path / "evil.pth"))
    assert not victim.exists()

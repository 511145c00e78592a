"""ResNet-101 as segmentation uses it: dilated, with its ImageNet weights loaded whole."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any, Literal

from mmseg_ext.encoders.tower import IMAGENET, Tower, description, fetched
from mmseg_ext.encoders.weight_file import State, stripped
from mmseg_ext.errors import EncoderError, WeightsError
from mmseg_ext.registry import MODELS

# mmseg needs the operators that the registry's module provides: import it afterwards.
from mmseg.models.backbones import ResNet  # isort: skip

# What MMEngine's catalogue calls the weights, by stem.
_CATALOGUE = {"v1c": "open-mmlab", "v1": "torchvision"}
# The three convolutions of a deep stem: their places in timm's and PyTorch-Encoding's module
# ``conv1`` are those in MMSegmentation's ``stem``, only the last norm lies outside of it.
_DEEP_STEM = {"conv1": "stem", "bn1": "stem.7"}


@MODELS.register_module()
class ResNetEncoder(ResNet):
    """A dilated ResNet of MMSegmentation; outputs at strides 4, 8, 8 and 8.

    As lhoyer/DAFormer configures it (configs/_base_/models/segformer_r101.py): the last two stages
    are dilated by 2 and 4 instead of strided, the first block of a dilated stage by half of that;
    batch norm is trained with the rest. Level sizes are ceil(H / 4) and ceil(H / 8).

    Args:
        depth: 18, 34, 50, 101 or 152.
        stem: ``v1c``, three 3x3 convolutions, or ``v1``, the 7x7 one of He et al. (2016).
        pretrained: ``imagenet`` for the open-mmlab (v1c) or torchvision (v1) weights, or ``None``.
        checkpoint: file with these weights, instead of their hub.
        dilated: keep stride 8; without it the strides are 4, 8, 16 and 32.
        **options: of MMSegmentation's ``ResNet``, such as ``frozen_stages`` or ``norm_eval``.

    Raises:
        EncoderError: an argument is not one of the above.
        WeightsError: the weights cannot be loaded whole.
    """

    image_statistics = IMAGENET

    def __init__(
        self,
        depth: int = 101,
        *,
        stem: Literal["v1c", "v1"] = "v1c",
        pretrained: str | None = None,
        checkpoint: str | None = None,
        dilated: bool = True,
        **options: Any,
    ) -> None:
        if stem not in _CATALOGUE or pretrained not in (None, "imagenet"):
            raise EncoderError(
                f"stem is {stem!r} and pretrained {pretrained!r}, expected stem 'v1c' or 'v1' and "
                "pretrained 'imagenet' or None"
            )
        super().__init__(
            depth,
            deep_stem=stem == "v1c",
            strides=(1, 2, 1, 1) if dilated else (1, 2, 2, 2),
            dilations=(1, 1, 2, 4) if dilated else (1, 1, 1, 1),
            contract_dilation=dilated,
            **{"norm_cfg": {"type": "BN", "requires_grad": True}, **options},
        )
        tower = Tower(
            name=f"resnet{depth}_{stem}" + (f"/{pretrained}" if pretrained else ""),
            network=self,
            statistics=IMAGENET,
            convert=lambda state: _arrange(state, self.state_dict(), stem),
            download=partial(_download, depth, stem) if pretrained else None,
        )
        self.name, self.loaded = tower.name, tower.load(checkpoint)

    def train(self, mode: bool = True) -> ResNetEncoder:
        """Set the mode and, unlike MMSegmentation's, return the network as PyTorch expects."""
        super().train(mode)
        return self

    def describe(self) -> dict[str, Any]:
        """Facts about this encoder for a record, as JSON can hold them."""
        return description(self.name, self.loaded)

    def init_weights(self) -> None:
        """Draw random weights, unless pre-trained ones were loaded."""
        if self.loaded is None:
            super().init_weights()


def _arrange(state: State, own: State, stem: str) -> tuple[State, str]:
    """Name the tensors of a file as MMSegmentation does.

    Known layouts: MMSegmentation's own, also below ``backbone.``; torchvision's and timm's;
    MMPretrain's, whose deep stem has modules ``stem.N.conv`` and ``stem.N.bn``.
    """
    layout = "open-mmlab" if any(key.startswith("stem.") for key in state) else "torchvision"
    inner = stripped(state, "backbone.")
    if inner:
        state, layout = inner, "open-mmlab"
    renamed = {_renamed(key, stem): value for key, value in state.items()}
    for key, value in own.items():
        # Only counts batches; older files lack it and nothing is computed from it.
        if key.endswith("num_batches_tracked"):
            renamed.setdefault(key, value)
    return renamed, layout


def _renamed(key: str, stem: str) -> str:
    if stem != "v1c":
        return key
    pretrain = re.fullmatch(r"stem\.(\d)\.(conv|bn)\.(.+)", key)
    if pretrain:
        place = 3 * int(pretrain[1]) + (pretrain[2] == "bn")
        return f"stem.{place}.{pretrain[3]}"
    first, _, rest = key.partition(".")
    return f"{_DEEP_STEM[first]}.{rest}" if first in _DEEP_STEM else key


def _download(depth: int, stem: str) -> Path:
    import mmengine
    from mmengine.fileio import load

    catalogue = "openmmlab" if stem == "v1c" else "torchvision_0.12"
    name = f"resnet{depth}" + ("_v1c" if stem == "v1c" else "")
    addresses = load(str(Path(mmengine.__file__).parent / "hub" / f"{catalogue}.json"))
    if name not in addresses:
        raise WeightsError(f"there are no {_CATALOGUE[stem]} weights called {name!r}")
    return fetched(addresses[name])

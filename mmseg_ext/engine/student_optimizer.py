"""Parameter groups of a student: the encoder's own learning rate, and what is not decayed.

MMEngine's rules match substrings of names, and a name says little: the norm that ends a stage of
MMSegmentation's MiT is called ``layers.0.2``, so a rule for ``norm`` passes it by and it is
decayed. The groups here are made by what a parameter is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.optim import OptimWrapper
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from mmseg_ext.errors import OptimizerError
from mmseg_ext.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS

KINDS = ("norm", "bias", "position", "token", "scale")
_SETTINGS = ("encoder_lr_mult", "layer_decay", "decay_free", "decoder_decay_free")
_POSITIONS = ("pos_embed", "rel_pos_h", "rel_pos_w", "relative_position_bias_table")
_TOKENS = ("cls_token", "reg_token", "mask_token", "dist_token", "latent")
_SCALES = ("gamma", "gamma_1", "gamma_2")


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class StudentOptimWrapperConstructor:
    """Builds the optimizer of a student (or of a segmentor that stands alone).

    The encoder is the backbone, or, where the backbone is a tower with a pyramid, the tower: what
    is learnt from scratch beside it has the decoder's learning rate. All other parameters of the
    model belong to the decoder. Parameters of equal settings share a group, in the order of the
    model, so that fused optimizers work on few long lists.

    Args:
        optim_wrapper_cfg: config of the wrapper, with its ``optimizer``; the optimizer's learning
            rate is the decoder's.
        paramwise_cfg: ``encoder_lr_mult`` (1.0), factor on the learning rate of the encoder;
            ``layer_decay`` (1.0), factor d such that a parameter at depth k of n blocks is further
            scaled by d^(n + 1 - k), depth 0 being what lies before the first block (EVA-02's and
            BEiT's layer-wise decay); ``decay_free`` (none), kinds of parameters without weight
            decay, from norm, bias, position (tables), token (class, register and mask tokens)
            and scale (LayerScale); ``decoder_decay_free`` (the same), the kinds outside of the
            backbone.

    Raises:
        OptimizerError: an unknown setting or kind, or layer-wise decay of an encoder without
            depths.
    """

    def __init__(
        self,
        optim_wrapper_cfg: Mapping[str, Any],
        paramwise_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        settings = dict(paramwise_cfg or {})
        unknown = [key for key in settings if key not in _SETTINGS]
        if unknown:
            raise OptimizerError(
                f"paramwise_cfg holds {', '.join(unknown)}, expected {', '.join(_SETTINGS)}"
            )
        self._config = dict(optim_wrapper_cfg)
        self._encoder_lr_mult = float(settings.get("encoder_lr_mult", 1.0))
        self._layer_decay = float(settings.get("layer_decay", 1.0))
        self._decay_free: Sequence[str] = tuple(settings.get("decay_free", ()))
        self._decoder_decay_free = tuple(settings.get("decoder_decay_free", self._decay_free))
        given = (*self._decay_free, *self._decoder_decay_free)
        wrong = [kind for kind in given if kind not in KINDS]
        if wrong:
            raise OptimizerError(
                f"decay_free holds {', '.join(map(str, wrong))}, expected kinds from "
                f"{', '.join(KINDS)}"
            )

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build the optimizer over every trainable parameter of ``model`` and wrap it."""
        config = {"type": "OptimWrapper", **self._config}
        optimizer = {**config.pop("optimizer")}
        optimizer["params"] = self._groups(getattr(model, "module", model), optimizer["lr"])
        return OPTIM_WRAPPERS.build(config, default_args={"optimizer": OPTIMIZERS.build(optimizer)})

    def _groups(self, model: nn.Module, rate: float) -> list[dict[str, Any]]:
        factors = self._encoder_factors(model)
        backbone = getattr(getattr(model, "student", model), "backbone", None)
        inside = set() if backbone is None else set(map(id, backbone.parameters()))
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for parameter, kind in _trainable(model):
            free = self._decay_free if id(parameter) in inside else self._decoder_decay_free
            key = (factors.get(id(parameter), 1.0), kind in free)
            groups.setdefault(key, []).append(parameter)
        return [
            {
                "params": parameters,
                "lr": rate * factor,
                **({"weight_decay": 0.0} if free else {}),
            }
            for (factor, free), parameters in groups.items()
        ]

    def _encoder_factors(self, model: nn.Module) -> dict[int, float]:
        """Factor on the learning rate of each parameter of the encoder, by its identity."""
        backbone = getattr(getattr(model, "student", model), "backbone", None)
        if backbone is None:
            return {}
        encoder: nn.Module = getattr(backbone, "tower", backbone)
        if self._layer_decay == 1.0:
            return dict.fromkeys(map(id, encoder.parameters()), self._encoder_lr_mult)
        if not hasattr(backbone, "parameter_depths"):
            raise OptimizerError(
                f"layer_decay is {self._layer_decay}, but {type(backbone).__name__} has no depths; "
                "expected 1.0"
            )
        depths: dict[str, int] = backbone.parameter_depths()
        last = max(depths.values()) + 1
        return {
            id(parameter): self._encoder_lr_mult * self._layer_decay ** (last - depths[name])
            for name, parameter in encoder.named_parameters()
        }


def _trainable(model: nn.Module) -> Iterator[tuple[nn.Parameter, str]]:
    """Every trainable parameter once, with its kind (empty for a plain weight)."""
    seen: set[int] = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                yield parameter, _kind(module, name)


def _kind(module: nn.Module, name: str) -> str:
    if _is_norm(module):
        return "norm"
    for kind, names in (("position", _POSITIONS), ("token", _TOKENS), ("scale", _SCALES)):
        if name in names:
            return kind
    return "bias" if name.endswith("bias") else ""


def _is_norm(module: nn.Module) -> bool:
    known = isinstance(module, (nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm, _NormBase))
    # Libraries have norms of their own that derive from none of torch's: RmsNorm, for one.
    return known or type(module).__name__.lower().startswith(("layernorm", "rmsnorm", "rms_norm"))

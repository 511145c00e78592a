"""Weight files: read without executing anything in them, and loaded whole or not at all.

A loader that only warns about tensors it could not place turns a pre-trained encoder into a partly
random one without anybody noticing. Here one missing, left-over or misshapen tensor refuses the
file, and the error lists the names.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmseg_ext.errors import WeightsError

State = dict[str, Tensor]

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
# Dictionaries that training code wraps around the tensors, the averaged ones first.
_WRAPPERS = ("model_ema", "state_dict", "model", "module")
# Parts behind an encoder: classifiers and pooling. They may be in a file and are not encoder keys.
_HEADS = ("head.", "head_dist.", "fc.", "fc_norm.", "attn_pool.", "pre_logits.")
_SHOWN = 5


@dataclass(frozen=True)
class LoadedWeights:
    """What was loaded: file name without its folder, SHA-256 of its bytes, layout and numbers.

    ``dtypes`` are those in the file; the network holds float32.
    """

    file: str
    sha256: str
    layout: str
    tensors: int
    dtypes: tuple[str, ...]


def read_weights(path: Path) -> State:
    """Read the tensors of a ``.safetensors`` or PyTorch file, floating point ones as float32.

    Wrapping dictionaries (``state_dict``, ``model``, ...) and the prefix ``module.`` of
    data-parallel training are removed.

    Raises:
        WeightsError: there is no such file, it is damaged, it holds something else than tensors,
            or it is a pickle that asks for anything but tensors.
    """
    if path.is_dir():
        raise WeightsError(f"{path}: is a folder, expected a weight file")
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such weight file")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise WeightsError(f"{path}: a weight file ends in {', '.join(SUFFIXES)}")
    content = _read_safetensors(path) if suffix == ".safetensors" else _read_pickle(path)
    found = _unwrapped(content).items()
    state = {k: v for k, v in found if isinstance(k, str) and isinstance(v, Tensor)}
    if not state:
        names = ", ".join(map(str, list(content)[:_SHOWN])) if isinstance(content, Mapping) else ""
        raise WeightsError(
            f"{path}: holds no named tensors, expected the weights of a network"
            + (f"; at the top it has {names}" if names else "")
        )
    odd = [k for k, v in state.items() if v.layout != torch.strided or v.is_meta or v.is_complex()]
    if odd:
        raise WeightsError(
            f"{path}: sparse, complex or empty tensors, expected plain numbers: {_listed(odd)}"
        )
    if all(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    return state


def load_whole(
    network: nn.Module,
    path: Path,
    convert: Callable[[State], tuple[State, str]],
) -> LoadedWeights:
    """Load the file at ``path`` into ``network``: all of its tensors, or none and an error.

    Args:
        network: network whose every parameter and persistent buffer must come from the file.
        path: the weight file.
        convert: maps the file's tensors to the network's names and says which layout it found.

    Raises:
        WeightsError: as `read_weights`, or a tensor is missing, left over or of another shape.
    """
    state = read_weights(path)
    floating = {value.dtype for value in state.values() if value.is_floating_point()}
    dtypes = tuple(sorted(str(dtype).removeprefix("torch.") for dtype in floating))
    given = {value.untyped_storage().data_ptr() for value in state.values()}
    try:
        found, layout = convert(state)
    except WeightsError:
        raise
    except Exception as error:  # a converter of a library met names or shapes it does not know
        raise WeightsError(
            f"{path}: its tensors cannot be arranged for this encoder "
            f"({type(error).__name__}: {error})"
        ) from error
    _refuse_resampled(found, given, path)
    _refuse_incomplete(network.state_dict(), found, path)
    own = network.state_dict()
    broken = [k for k in own if not torch.isfinite(found[k].float()).all()]
    if broken:
        raise WeightsError(f"{path}: {len(broken)} tensors are not finite: {_listed(broken)}")
    network.load_state_dict({key: _as_float32(found[key]) for key in own})
    return LoadedWeights(path.name, file_digest(path), layout, len(own), dtypes)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def stripped(state: Mapping[str, Tensor], prefix: str) -> State:
    """The tensors below ``prefix``, without it."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _as_float32(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _read_safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path}: not a whole safetensors file ({error})") from error


def _read_pickle(path: Path) -> Any:
    with open(path, "rb") as stream:
        head = stream.read(32)
    if head.startswith(b"version https://git-lfs"):
        raise WeightsError(f"{path}: a pointer of Git LFS, not the file itself; run git lfs pull")
    if not head.startswith((b"PK", b"\x80")):  # a zip archive, or a pickle of older PyTorch
        raise WeightsError(f"{path}: not a PyTorch weight file, it begins with {head[:12]!r}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch goes on to say how to load it all the same, which nobody should do.
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        raise WeightsError(
            f"{path}: refused, because it holds more than tensors and could execute code"
            + (f" (it asks for {asked[1]})" if asked else "")
            + "; save its state dict, best as .safetensors"
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError, LookupError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "TorchScript" in str(error):
            reason = "a TorchScript archive"
        raise WeightsError(
            f"{path}: not a whole PyTorch weight file ({reason}); TorchScript archives must be "
            "saved as a state dict first"
        ) from error


def _unwrapped(content: Any) -> Mapping[str, Any]:
    while isinstance(content, Mapping):
        inner = next((content[k] for k in _WRAPPERS if isinstance(content.get(k), Mapping)), None)
        if inner is None:
            return content
        content = inner
    return {}


def _refuse_resampled(found: Mapping[str, Tensor], given: set[int], path: Path) -> None:
    """Converters of timm fit position tables and patch kernels to the network without asking."""
    for key, value in found.items():
        is_table = key.endswith(("pos_embed", "patch_embed.proj.weight"))
        if is_table and value.untyped_storage().data_ptr() not in given:
            raise WeightsError(
                f"{path}: {key} is made for another grid or patch size than this encoder's "
                f"{tuple(value.shape)}; choose the encoder that the file was trained as"
            )


def _refuse_incomplete(own: Mapping[str, Tensor], found: State, path: Path) -> None:
    missing = [key for key in own if key not in found]
    unexpected = [key for key in found if key not in own and not key.startswith(_HEADS)]
    misshapen = [
        f"{key} {tuple(found[key].shape)} (expected {tuple(value.shape)})"
        for key, value in own.items()
        if key in found and found[key].shape != value.shape
    ]
    other_kind = [
        f"{key} {str(found[key].dtype).removeprefix('torch.')}"
        for key, value in own.items()
        if key in found and value.is_floating_point() and not found[key].is_floating_point()
    ]
    problems = [
        f"{len(names)} {what}: {_listed(names)}"
        for what, names in (
            ("missing", missing),
            ("unexpected", unexpected),
            ("of another shape", misshapen),
            ("of another kind of number", other_kind),
        )
        if names
    ]
    if problems:
        raise WeightsError(f"{path}: does not fit this encoder as a whole; {'; '.join(problems)}")


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")

from __future__ import annotations

import contextlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from mmseg_ext.encoders.weight_file import file_digest, load_whole, read_weights, stripped
from mmseg_ext.errors import WeightsError


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.BatchNorm1d(4))


def as_they_are(state: dict[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    return state, "own"


def save(path: Path, content: Any) -> Path:
    if path.suffix == ".safetensors":
        save_file(content, path)
    else:
        torch.save(content, path)
    return path


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".bin"])
def test_reads_what_was_saved(tmp_path: Path, suffix: str) -> None:
    state = network().state_dict()
    found = read_weights(save(tmp_path / f"w{suffix}", dict(state)))
    assert found.keys() == state.keys()
    assert all(torch.equal(found[key], state[key]) for key in state)


@pytest.mark.parametrize("wrap", ["state_dict", "model", "module", "model_ema"])
def test_wrapping_dictionaries_are_opened(tmp_path: Path, wrap: str) -> None:
    inner = {f"module.{key}": value for key, value in network().state_dict().items()}
    path = save(tmp_path / "w.pth", {wrap: inner, "epoch": 3, "meta": {"note": "x"}})
    assert read_weights(path).keys() == network().state_dict().keys()


def test_the_averaged_model_wins(tmp_path: Path) -> None:
    path = save(
        tmp_path / "w.pth", {"model": {"a": torch.zeros(1)}, "model_ema": {"a": torch.ones(1)}}
    )
    assert read_weights(path)["a"].item() == 1.0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_other_precisions_become_float32(tmp_path: Path, dtype: torch.dtype, suffix: str) -> None:
    torch.manual_seed(1)
    given_state = {
        key: torch.randn(value.shape).to(dtype) if value.is_floating_point() else value
        for key, value in network().state_dict().items()
    }
    net = network()
    loaded = load_whole(net, save(tmp_path / f"w{suffix}", given_state), as_they_are)
    assert loaded.dtypes == (str(dtype).removeprefix("torch."),)
    for key, value in net.state_dict().items():
        expected = given_state[key]
        assert value.dtype == (torch.float32 if expected.is_floating_point() else torch.int64)
        assert torch.equal(value, expected.to(value.dtype))


def test_report_says_what_was_loaded(tmp_path: Path) -> None:
    path = save(tmp_path / "w.safetensors", dict(network().state_dict()))
    loaded = load_whole(network(), path, as_they_are)
    assert (loaded.file, loaded.layout, loaded.tensors) == ("w.safetensors", "own", 9)
    assert loaded.sha256 == file_digest(path)
    assert str(tmp_path) not in repr(loaded)


def changed(state: dict[str, Tensor], kind: str) -> dict[str, Tensor]:
    state = dict(state)
    if kind == "renamed":
        state["1.wight"] = state.pop("1.weight")
    elif kind == "dropped":
        del state["1.weight"]
    elif kind == "reshaped":
        state["1.weight"] = torch.ones(5)
    else:
        state["3.weight"] = torch.ones(1)
    return state


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("renamed", r"1 missing: 1\.weight; 1 unexpected: 1\.wight"),
        ("dropped", r"1 missing: 1\.weight$"),
        ("reshaped", r"1 of another shape: 1\.weight \(5,\) \(expected \(4,\)\)"),
        ("added", r"1 unexpected: 3\.weight"),
    ],
)
def test_one_wrong_tensor_refuses_the_file_and_changes_nothing(
    tmp_path: Path, kind: str, message: str
) -> None:
    net = network()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    path = save(tmp_path / "w.pth", changed({k: v + 1 for k, v in before.items()}, kind))
    with pytest.raises(WeightsError, match=message):
        load_whole(net, path, as_they_are)
    assert all(torch.equal(net.state_dict()[key], before[key]) for key in before)


def test_long_lists_are_cut(tmp_path: Path) -> None:
    path = save(tmp_path / "w.pth", {"x": torch.ones(1)})
    with pytest.raises(WeightsError, match=r"9 missing: .* and 4 more; 1 unexpected: x"):
        load_whole(network(), path, as_they_are)


@pytest.mark.parametrize("key", ["head.weight", "fc.bias", "attn_pool.q.weight", "fc_norm.weight"])
def test_classifiers_and_pooling_are_not_encoder_keys(tmp_path: Path, key: str) -> None:
    path = save(tmp_path / "w.pth", {**network().state_dict(), key: torch.ones(2)})
    assert load_whole(network(), path, as_they_are).tensors == 9


class Payload:
    """Would create a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_would_execute_code_is_refused(tmp_path: Path, legacy: bool) -> None:
    proof = tmp_path / "executed"
    path = tmp_path / "w.pt"
    content = {"weight": torch.ones(1), "extra": Payload(proof)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(WeightsError, match="could execute code"):
        read_weights(path)
    assert not proof.exists()
    path.write_bytes(pickle.dumps(Payload(proof)))
    with pytest.raises(WeightsError):
        read_weights(path)
    assert not proof.exists()


def test_torchscript_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.jit.trace(nn.Linear(1, 1), torch.ones(1, 1)).save(str(path))
    with pytest.raises(WeightsError, match="state dict"):
        read_weights(path)


@pytest.mark.parametrize("content", [{}, {"a": 1}, [torch.ones(1)], torch.ones(1), 3])
def test_a_file_without_named_tensors_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(WeightsError, match="no named tensors"):
        read_weights(save(tmp_path / "w.pt", content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        (b"<html>not found</html>", "begins with b'<html>"),
        (b"", "not a PyTorch weight file"),
    ],
)
def test_files_of_another_kind_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "w.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        read_weights(path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.ones(4, dtype=torch.int8), "another kind of number"),
        (torch.ones(4, dtype=torch.complex64), "sparse, complex"),
        (torch.ones(4).to_sparse(), "sparse, complex"),
        (torch.full((4,), float("nan")), "1 tensors are not finite: 1.weight"),
    ],
)
def test_what_is_no_weight_is_refused(tmp_path: Path, value: Tensor, message: str) -> None:
    state = {**network().state_dict(), "1.weight": value}
    with pytest.raises(WeightsError, match=message):
        load_whole(network(), save(tmp_path / "w.pt", state), as_they_are)


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no named tensors"):
        read_weights(save(tmp_path / "w.pt", {0: torch.ones(1)}))


def test_no_message_advises_to_load_unsafely(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"a": Payload(tmp_path / "x")}, path)
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    assert "weights_only" not in str(caught.value)


def test_missing_file_and_unknown_ending_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.pt: there is no such"):
        read_weights(tmp_path / "none.pt")
    path = tmp_path / "w.npz"
    path.write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"ends in \.safetensors"):
        read_weights(path)
    with pytest.raises(WeightsError, match="is a folder"):
        read_weights(tmp_path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), suffix=st.sampled_from([".pt", ".safetensors"]))
def test_damaged_files_are_named_errors(tmp_path: Path, data: st.DataObject, suffix: str) -> None:
    path = save(tmp_path / f"w{suffix}", {"a": torch.arange(6.0).reshape(2, 3)})
    content = bytearray(path.read_bytes())
    truncated = data.draw(st.booleans())
    if truncated:
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        place = data.draw(st.integers(0, min(200, len(content) - 1)))
        content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    # A flipped bit in the numbers or in padding is no damage that a reader can see: then there
    # are tensors. Any other exception than ours fails the test.
    with contextlib.suppress(WeightsError):
        state = read_weights(path)
        assert not truncated
        assert all(isinstance(value, Tensor) for value in state.values())


def test_stripped_keeps_only_what_lies_below_the_prefix() -> None:
    one = torch.ones(1)
    assert stripped({"visual.a": one, "text.a": one, "visual": one}, "visual.") == {"a": one}

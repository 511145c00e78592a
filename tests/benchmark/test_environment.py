"""What is installed, as digests and switches."""

from __future__ import annotations

import importlib.metadata
import types
from pathlib import Path

import pytest

from benchmark import environment, paths


def test_pins_are_those_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "checkout_root", lambda: tmp_path)

    def digest(text: str) -> str | None:
        (tmp_path / "pyproject.toml").write_text(text)
        environment.constraints_digest.cache_clear()
        return environment.constraints_digest()

    pins = 'constraint-dependencies = [\n    "a==1",\n]\n'
    first = digest(f"[project]\nname = 'x'\n[tool.uv]\n{pins}")
    assert first == digest(f"[project]\nname = 'y'\n[tool.uv]\n{pins}other = [\n]\n")
    assert first != digest(pins.replace("1", "2"))
    assert digest("[project]\n") is None
    environment.constraints_digest.cache_clear()


def test_the_installed_versions_have_a_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = environment.installed_digest()
    assert len(whole) == 64
    found = list(importlib.metadata.distributions())[1:]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda path: found)
    environment.installed_digest.cache_clear()
    assert environment.installed_digest() != whole
    environment.installed_digest.cache_clear()


def test_switches_of_torch_are_asked_one_by_one() -> None:
    torch = pytest.importorskip("torch")
    found = environment.torch_facts(torch)
    assert found is not None
    assert found["cudnn_benchmark"] is torch.backends.cudnn.benchmark
    assert found["deterministic_algorithms"] is torch.are_deterministic_algorithms_enabled()

    class Mixed:
        """A torch whose switches cannot be told."""

        def __getattr__(self, name: str) -> object:
            if name.startswith("allow"):
                raise RuntimeError("old and new switches")
            return getattr(torch.backends.cudnn, name)

    backends = types.SimpleNamespace(cudnn=Mixed(), cuda=types.SimpleNamespace(matmul=Mixed()))
    fake = types.SimpleNamespace(**{**vars(torch), "backends": backends})
    mixed = environment.torch_facts(fake)
    assert mixed is not None
    assert (mixed["matmul_tf32"], mixed["cudnn_tf32"]) == (None, None)
    assert mixed["cudnn_deterministic"] == found["cudnn_deterministic"]
    assert environment.torch_facts(None) is None

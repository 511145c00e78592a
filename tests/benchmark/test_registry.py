"""Fragments: what is found, and what each mistake in one is answered with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmark import paths, registry
from benchmark.errors import FragmentError, UsageError


def test_a_fragment_holds_its_public_plain_names(configs: Any) -> None:
    text = "from __future__ import annotations\nimport os\n_hidden = 1\nsize = (2, 3)\n"
    path = configs.root / "methods" / "plain.py"
    path.write_text(f"{text}card = dict(title='P', summary='plain')\n")
    fragment = registry.find("method", "plain")
    assert set(fragment.values) == {"size", "card"}
    assert fragment.card["title"] == "P"
    assert (fragment.kind, fragment.name, fragment.path) == ("method", "plain", path)


def test_a_fragment_is_executed_once(configs: Any) -> None:
    configs.fragment("method", "once", "import pathlib\npathlib.Path('ran').open('a').write('x')\n")
    assert registry.find("method", "once") is registry.find("method", "once")
    assert Path("ran").read_text() == "x"


def test_names_are_sorted_and_skip_private_files(configs: Any) -> None:
    (configs.root / "encoders" / "_shared.py").write_text("this is not python")
    (configs.root / "encoders" / ".#small.py").write_text("an editor's lock")
    assert registry.names("encoder") == ["large", "small"]


def test_an_unknown_name_is_answered_with_the_closest_and_all(configs: Any) -> None:
    with pytest.raises(UsageError, match="unknown method 'goood'; closest: 'good'") as caught:
        registry.find("method", "goood")
    assert "valid: bad, better, crash, good, slow" in str(caught.value)


@pytest.mark.parametrize("name", ["../methods/good", "good.py", "", "/etc/passwd"])
def test_a_name_is_never_a_path(configs: Any, name: str) -> None:
    with pytest.raises(UsageError, match="unknown method"):
        registry.find("method", name)


def test_an_unknown_kind(configs: Any) -> None:
    with pytest.raises(UsageError, match="unknown kind 'methods'; closest: 'method'"):
        registry.names("methods")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", r"methods/broken.py: must define card"),
        ("card = 3\n", r"methods/broken.py: must define card = dict.*found int"),
        ("card = dict(title='T')\n", r"methods/broken.py: card\['summary'\] must be a non-empty"),
        ("card = dict(title=' ', summary='s')\n", r"card\['title'\] must be a non-empty text"),
        ("x = 1\ny = x / 0\n", r"methods/broken.py:2: ZeroDivisionError: division by zero"),
        ("x = 1\n\nif x\n", r"methods/broken.py:3: "),
        ("def f():\n    return g\nf()\n", r"methods/broken.py:2: NameError"),
        ("raise SystemExit(4)\n", r"methods/broken.py:1: SystemExit"),
        ("import no_such_module\n", r"methods/broken.py:1: ModuleNotFoundError"),
    ],
)
def test_each_mistake_names_file_and_place(configs: Any, text: str, message: str) -> None:
    (configs.root / "methods" / "broken.py").write_text(text)
    with pytest.raises(FragmentError, match=message):
        registry.find("method", "broken")


def test_a_fragment_that_imports_torch_is_refused(
    configs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    saved = {name: sys.modules[name] for name in list(sys.modules) if name.startswith("torch")}
    for name in saved:
        monkeypatch.delitem(sys.modules, name)
    configs.fragment("method", "heavy", "import torch\n")
    try:
        with pytest.raises(FragmentError, match=r"methods/heavy.py: imports torch"):
            registry.find("method", "heavy")
    finally:
        sys.modules.pop("torch", None)
        sys.modules.update(saved)


def test_a_file_name_that_would_blur_cell_names_is_refused(configs: Any) -> None:
    (configs.root / "methods" / "a__b.py").touch()
    with pytest.raises(FragmentError, match=r"methods/a__b.py: .* rename the file"):
        registry.names("method")


def test_every_fragment_of_the_project_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UDABENCH_CONFIGS", raising=False)
    registry.forget()
    found = [
        registry.find(kind, name)
        for kind in registry.FRAGMENT_KINDS
        for name in registry.names(kind)
    ]
    assert {fragment.kind for fragment in found} == set(registry.FRAGMENT_KINDS)


def test_an_installed_wheel_reads_the_configs_inside_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("UDABENCH_CONFIGS", raising=False)
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "site-packages" / "benchmark")
    assert paths.configs_root() == tmp_path / "site-packages" / "benchmark" / "configs"
    assert paths.checkout_root() is None

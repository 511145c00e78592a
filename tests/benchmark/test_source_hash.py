"""The source hash: what a cell's configuration uses of the project, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmark import plan, source_hash, source_index
from benchmark import suite as suites
from benchmark.errors import UsageError

ROOT = Path(__file__).parents[2]
ENCODERS = ("resnet-mini", "mit-b5", "resnet101", "eva02-mini", "eva02-clip-l14")
DACS = {"dacs", "daformer", "mic", "hrda", "mic-hrda"}

Cells = set[tuple[str, str]]


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The configuration of every method with several encoders."""
    every = ("source-only", "oracle", "norm-stats", "minent", "adaptsegnet", "advent", *DACS)
    axes = {"methods": every, "encoders": ENCODERS, "shifts": ["minidrive"], "seeds": ["0"]}
    lines = [f"{axis}: [{', '.join(names)}]" for axis, names in axes.items()]
    path = tmp_path_factory.mktemp("suite") / "all.yaml"
    path.write_text("\n".join(["title: All", "protocol: minidrive", *lines]))
    entries = plan.make(suites.load(str(path)), path.parent).entries
    return {(entry.cell.method, entry.cell.encoder): entry.config for entry in entries}


class Tree:
    """A copy of the project's data plane that a test may change."""

    def __init__(self, root: Path, configs: Mapping[tuple[str, str], Any]) -> None:
        self.root = root
        self.configs = configs
        self.before = self.used()

    def used(self) -> dict[tuple[str, str], dict[str, str]]:
        sources = source_hash.scan(roots={"mmseg_ext": self.root})
        return {cell: sources.used_by(config) for cell, config in self.configs.items()}

    def changed(self) -> Cells:
        """The cells whose source is another one than at the beginning."""
        after = self.used()
        return {cell for cell, modules in after.items() if modules != self.before[cell]}

    def append(self, name: str, text: str) -> None:
        path = self.root / name
        path.write_text(path.read_text() + text)

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module")
def whole_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy") / "mmseg_ext"
    return shutil.copytree(ROOT / "mmseg_ext", folder)


@pytest.fixture
def tree(
    whole_copy: Path, configs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tree]:
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    original = {path: path.stat().st_mtime_ns for path in whole_copy.rglob("*.py")}
    yield Tree(whole_copy, configs)
    for path in whole_copy.rglob("*.py"):
        if path not in original:
            path.unlink()
        elif path.stat().st_mtime_ns != original[path]:
            shutil.copy2(ROOT / "mmseg_ext" / path.relative_to(whole_copy), path)


def with_methods(configs: Any, methods: set[str]) -> Cells:
    return {cell for cell in configs if cell[0] in methods}


@pytest.mark.parametrize(
    ("file", "methods"),
    [
        ("methods/dacs.py", DACS),
        ("methods/mic.py", {"mic", "mic-hrda"}),
        ("methods/adaptsegnet.py", {"adaptsegnet", "advent"}),
        ("methods/advent.py", {"advent"}),
        ("methods/supervised.py", {"source-only", "oracle"}),
        ("parts/class_mix.py", DACS),
        ("parts/masking.py", {"mic", "mic-hrda"}),
        ("parts/output_adversary.py", {"adaptsegnet", "advent"}),
        ("segmentors/hrda.py", {"hrda", "mic-hrda"}),
    ],
)
def test_one_changed_line_touches_the_methods_that_use_it_and_no_other(
    tree: Tree, configs: Any, file: str, methods: set[str]
) -> None:
    tree.append(file, "\n_NEW = 1\n")
    assert tree.changed() == with_methods(configs, methods)
    cell = next(iter(tree.changed()))
    after = tree.used()[cell]
    differing = {path for path in after if after[path] != tree.before[cell][path]}
    assert differing == {f"mmseg_ext/{file}"}


@pytest.mark.parametrize(
    ("file", "encoders"),
    [
        ("encoders/mix_transformer.py", {"mit-b5"}),
        ("encoders/resnet.py", {"resnet101"}),
        ("encoders/resnet_mini.py", {"resnet-mini"}),
        ("encoders/open_clip_tower.py", {"eva02-clip-l14"}),
        ("encoders/tower_encoder.py", {"eva02-clip-l14", "eva02-mini"}),
    ],
)
def test_a_changed_encoder_touches_its_cells_only(
    tree: Tree, configs: Any, file: str, encoders: set[str]
) -> None:
    tree.append(file, "\n_NEW = 1\n")
    assert tree.changed() == {cell for cell in configs if cell[1] in encoders}


def test_what_all_methods_share_touches_all(tree: Tree, configs: Any) -> None:
    tree.append("methods/base.py", "\n_NEW = 1\n")
    assert tree.changed() == {*configs}


def test_comments_docstrings_and_formatting_touch_nothing(tree: Tree) -> None:
    tree.append("methods/dacs.py", "\n\n# a remark\n")
    tree.replace("methods/daformer.py", '"""DAFormer: ', '"""Other words: ')
    tree.replace("methods/mic.py", "class MIC(DAFormer):", "class MIC(\n    DAFormer,\n):  # long")
    assert tree.changed() == set()


def test_a_new_method_a_new_error_and_a_new_version_touch_nothing(tree: Tree) -> None:
    text = "from mmseg_ext.registry import MODELS\n\n@MODELS.register_module()\nclass New: ...\n"
    (tree.root / "methods" / "new.py").write_text(text)
    tree.append("methods/__init__.py", "from mmseg_ext.methods.new import New\n")
    tree.append("errors.py", "\n\nclass NewError(ExtensionError):\n    pass\n")
    tree.replace("__init__.py", '__version__ = "', '__version__ = "9')
    assert tree.changed() == set()


def test_what_a_package_does_when_imported_counts(tree: Tree, configs: Any) -> None:
    tree.append("parts/__init__.py", "\nimport torch\ntorch.set_num_threads(1)\n")
    assert tree.changed() == {*configs}


def test_a_file_that_changes_twice_within_a_tick_is_read_twice(tree: Tree) -> None:
    path = tree.root / "parts" / "masking.py"
    tree.append("parts/masking.py", "\n_N = 1\n")
    stamp, first = path.stat(), tree.used()
    tree.replace("parts/masking.py", "_N = 1", "_N = 2")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert tree.used() != first


def test_the_cache_is_not_needed_and_not_trusted_when_broken(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_hash, "_memory", {})
    for path in (tmp_path / "cache").rglob("*.json"):
        path.write_text("{")
    assert tree.changed() == set()
    (tmp_path / "file").touch()
    monkeypatch.setattr(source_hash, "_memory", {})
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "file"))
    assert tree.changed() == set()


def test_a_file_that_is_no_python_is_named(tree: Tree) -> None:
    tree.append("parts/masking.py", "\ndef (\n")
    with pytest.raises(UsageError, match=r"parts/masking.py: cannot be read as Python"):
        tree.used()


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="package no_such_plugin: not installed"):
        source_hash.scan(["no_such_plugin.methods"])


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A plugin whose method builds on the project's, with relative imports and a ring of them."""
    monkeypatch.setenv("UDABENCH_CACHE", str(tmp_path / "cache"))
    files = {
        "plugin/__init__.py": "from .methods import Own as Method\n",
        "plugin/methods.py": (
            "from typing import TYPE_CHECKING\n"
            "from mmseg_ext.methods import DACS\nfrom mmseg_ext.registry import MODELS\n"
            "if TYPE_CHECKING:\n    from .unused import Unused\n"
            "@MODELS.register_module(name=['Own', 'Ours'])\nclass Own(DACS):\n"
            "    def build(self):\n        from . import ring\n"
            "        return MODELS.build(dict(type='plugin.Other'))\n"
        ),
        "plugin/ring.py": "import plugin.gnir\n",
        "plugin/gnir.py": "from plugin import ring\nx = 1\n",
        "plugin/other.py": "@MODELS.register_module\nclass Other: ...\n",
        "plugin/unused.py": "class Unused:\n    x = 1\n",
        "plugin/late.py": "def late(): ...\nMODELS.register_module(name='Late', module=late)\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return {"mmseg_ext": ROOT / "mmseg_ext", "plugin": tmp_path / "plugin"}


@pytest.mark.parametrize("name", ["Own", "Ours", "plugin.Own"])
def test_a_plugin_is_followed_into_the_project(plugin: dict[str, Path], name: str) -> None:
    used = source_hash.scan(roots=plugin).used_by({"model": [{"type": name}]})
    own = {path for path in used if path.startswith("plugin/")}
    assert own == {
        "plugin/methods.py",
        "plugin/gnir.py",
        "plugin/other.py",
    }  # the ring only imports
    assert {"mmseg_ext/methods/dacs.py", "mmseg_ext/parts/class_mix.py"} <= {*used}
    assert "mmseg_ext/methods/mic.py" not in used


def test_a_component_registered_by_a_call_is_found(plugin: dict[str, Path]) -> None:
    sources = source_hash.scan(roots=plugin)
    assert {*sources.used_by({"hook": "Late"})} == {"plugin/late.py"}
    assert sources.used_by({"type": "Conv2d", "note": "nothing of ours"}) == {}


EQUAL = [
    ("x = 1000", "x = 1_000  # many"),
    ("def f(a): return a", 'def f(\n    a,\n):\n    """Says a."""\n    return (a)'),
    ("x = 'a' 'b'", 'x = "ab"'),
    ("class A:\n    x = 1", 'class A:\n    """A."""\n    x = 1\n    """Attribute."""'),
    ("x = 1", "from __future__ import annotations\nx = 1\n__all__ = ['x']\n__version__ = '2'"),
    ("x = 1", "if TYPE_CHECKING:\n    from a import b\nx = 1"),
]
DIFFERENT = [
    ("x = 1", "x = 2"),
    ("x = 1", "x = 1.0"),
    ("x = None", "x: int"),
    ("f(a, b)", "f(b, a)"),
    ("f(*a)", "f(a)"),
    ("{**a}", "{None: a}"),
    ("def f(a=1): ...", "def f(a, b=1): ..."),
    ("x = 'a'", "x = b'a'"),
    ("x = 'a'", "x = 'b'"),
    ("from a import b", "from a import c as b"),
    ("for x in y: f()", "for x in y: f()\nelse: g()"),
    ("if a:\n    f()\n    g()", "if a:\n    f()\ng()"),
]


def digest(text: str) -> str:
    return source_index.read(text, "module", is_package=False).digest


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_what_has_no_effect_has_no_digest(one: str, other: str) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_has_an_effect_changes_the_digest(one: str, other: str) -> None:
    assert digest(one) != digest(other)


def test_the_digest_is_the_same_for_every_python() -> None:
    text = (
        "import a.b as c\nfrom . import d\n@e(1)\nclass F(G, k=None):\n    x: int = 1\n"
        "    async def h(self, *y, z=2, **w) -> None:\n        with i as j, k:\n"
        "            return f'{x!r:>{y}} text' if not y else [u for u in v if u > 1.5]\n"
        "l = lambda p, /, q=-1j: {**p, 'é\\u2028': ..., 1: b'\\x00'}\ntry:\n    pass\n"
        "except (A, B) as err:\n    raise C from err\nm[1:2, ::3] = n = True\n"
    )
    assert digest(text) == "50771b1f4c8172cf"

"""Which module may import what: the control plane starts light, the data plane stands alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "torch", "torchvision", "mmcv", "mmseg", "mmengine", "timm", "open_clip", "numpy", "cv2",
    "pandas", "rich", "jinja2", "yaml", "tabulate", "matplotlib", "submitit", "scipy",
)  # fmt: skip
DATA_PLANE = ("mmseg_ext", "torch", "torchvision", "mmcv", "mmseg", "mmengine", "timm", "open_clip")


def imports(path: Path, *, nested: bool) -> Iterator[str]:
    """Top-level packages a file imports when it is imported; ``nested``: anywhere in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree)) if nested else list(_executed(tree.body))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def _executed(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Statements that run on import: not function bodies, not ``if TYPE_CHECKING``."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.ClassDef)):
            for field in ("body", "orelse", "finalbody"):
                yield from _executed(getattr(node, field, []))
            for handler in getattr(node, "handlers", []):
                yield from _executed(handler.body)


def modules(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found
    return found


def test_only_the_worker_may_import_the_data_plane_at_module_level() -> None:
    offenders = {
        path.relative_to(ROOT): sorted(heavy)
        for path in modules("benchmark")
        if path.name != "worker.py" and (heavy := set(imports(path, nested=False)) & {*DATA_PLANE})
    }
    assert offenders == {}


def test_only_the_worker_imports_torch_at_all() -> None:
    offenders = [
        path.relative_to(ROOT)
        for path in modules("benchmark")
        if path.name != "worker.py" and "torch" in imports(path, nested=True)
    ]
    assert offenders == []


def test_the_data_plane_never_imports_the_control_plane() -> None:
    offenders = [
        path.relative_to(ROOT)
        for path in modules("mmseg_ext")
        if "benchmark" in imports(path, nested=True)
    ]
    assert offenders == []


def loaded_after(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in found.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    [
        "import benchmark.cli; benchmark.cli.parser()",
        "import benchmark.plan, benchmark.records, benchmark.provenance, benchmark.doctor",
        "import benchmark.commands.run, benchmark.commands.cell, benchmark.engines.pool",
        "import benchmark.commands.cancel, benchmark.engines.slurm",
        "import benchmark.commands.probe, benchmark.commands.weights_probe",
    ],
)
def test_the_control_plane_starts_without_heavy_packages(statement: str) -> None:
    assert loaded_after(statement) & {*HEAVY, "mmseg_ext"} == set()


def test_the_data_plane_is_imported_without_torch() -> None:
    assert loaded_after("import mmseg_ext") & {"torch", "benchmark", "mmcv"} == set()

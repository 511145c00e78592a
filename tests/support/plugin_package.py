"""Throw-away plugins: packages of a few lines, with the metadata that installing would leave."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

METHOD = """from mmseg_ext.methods.supervised import Supervised
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class {0}(Supervised):
    rate = 1
"""
CARD = 'card = dict(title="{0}", summary="The {0} of a plugin.")\n'


def write(
    folder: Path, module: str, files: Mapping[str, str], package: str = "", code: str = ""
) -> Path:
    """Write package ``module`` into ``folder``, which is to be put on the path.

    Args:
        files: texts of what lies in its ``configs``, by path; ``.py`` ones get a card.
        package: name of the distribution whose entry point leads to it; empty for none.
        code: what its ``__init__.py`` holds.
    """
    home = folder / module
    home.mkdir(parents=True, exist_ok=True)
    (home / "__init__.py").write_text(code)
    for name, text in files.items():
        path = home / "configs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        card = CARD.format(path.stem) if path.suffix == ".py" else ""
        path.write_text(card + text)
    if package:
        announce(folder, package, module)
    return home


def announce(folder: Path, package: str, module: str) -> None:
    """The metadata of an installed distribution, version 1.2, with one entry point."""
    home = folder / f"{package.replace('-', '_')}-1.2.dist-info"
    home.mkdir(parents=True)
    (home / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (home / "entry_points.txt").write_text(f"[udabench.plugins]\nown = {module}\n")

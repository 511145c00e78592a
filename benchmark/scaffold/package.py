"""Writes the package of a new method or encoder, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from benchmark import paths
from benchmark.errors import UsageError
from benchmark.scaffold.naming import Names
from benchmark.templates import environment

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def files(names: Names) -> dict[str, str]:
    """The text of each file by its path in the package's folder."""
    name, kind = names.name, names.kind
    templates = {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "README.md.j2",
        f"{name}/__init__.py": "init.py.j2",
        f"{name}/{kind}.py": f"{kind}/class.py.j2",
        f"{name}/configs/{kind}s/{name}.py": f"{kind}/fragment.py.j2",
        f"tests/test_{name}.py": f"{kind}/test.py.j2",
    }
    return {
        path: environment(_TEMPLATES)
        .get_template(template)
        .render(kind=kind, name=name, class_name=names.class_name, title=names.title)
        for path, template in templates.items()
    }


def write(names: Names, folder: Path) -> Path:
    """Write the package into a new folder of ``folder`` and return that.

    Raises:
        UsageError: there is something of that name already; it is left as it is.
        OSError: the folder cannot be written into.
    """
    final = folder / names.name
    if os.path.lexists(final):
        raise UsageError(
            f"{paths.shown(final)} is there already and is left as it is; choose another name or "
            "another folder with --to"
        )
    texts = files(names)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{names.name}.", suffix=".tmp", dir=folder))
    try:
        for path, text in texts.items():
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            (temporary / path).write_text(text, encoding="utf-8")
        temporary.chmod(0o777 & ~_umask())  # temporary folders are private
        temporary.rename(final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return final


def _umask() -> int:
    """The mask of new files; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

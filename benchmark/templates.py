"""The jinja2 environment of all templates."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


@lru_cache
def environment(folder: Path, *, autoescape: bool = False) -> Environment:
    """Templates of a folder.

    Ours print what they are given: each format has an escape function for what it needs. With
    ``autoescape`` whatever is printed is escaped for HTML.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=autoescape,
    )

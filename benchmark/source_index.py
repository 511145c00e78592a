"""What the source index knows of one Python file: what it registers, imports and says.

A file's digest is that of its syntax tree without comments, docstrings, positions and formatting,
written in a form that is the same for every Python version. Nothing is imported to find this out.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z_][\w.]*")
# What no number depends on: the public names and the version of a package.
_BOOKKEEPING = ("__all__", "__version__")

Import = tuple[str, str, str]
"""Module, name in it (empty for the module itself, ``*`` for all), and what it is called here."""


@dataclass(frozen=True)
class FileFacts:
    """Facts about one file.

    Attributes:
        digest: of everything that has an effect.
        registers: names under which it registers components.
        imports: what is imported anywhere in it; not what is for type checkers only.
        words: texts in it that could be the name of a registered component.
        own: whether it does anything that could count: a package's ``__init__`` often only imports,
            and a file of exceptions only names them.
        used: for an ``__init__``: the imported names that what it does itself mentions.
    """

    digest: str
    registers: tuple[str, ...]
    imports: tuple[Import, ...]
    words: tuple[str, ...]
    own: bool
    used: tuple[str, ...]


def read(text: str, module: str, *, is_package: bool) -> FileFacts:
    """The facts of a file's text; ``module`` is its dotted name. Raises ``SyntaxError``."""
    tree = ast.parse(text)
    _strip(tree)
    imports = tuple(dict.fromkeys(_imports(tree, module, is_package)))
    own = [node for node in tree.body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    kept: ast.AST = ast.Module(own, []) if is_package else tree
    names = {node.id for each in own for node in ast.walk(each) if isinstance(node, ast.Name)}
    return FileFacts(
        digest=hashlib.sha256("".join(_written(kept)).encode()).hexdigest()[:16],
        registers=tuple(dict.fromkeys(_registered(tree))),
        imports=imports,
        words=tuple(sorted(set(_words(tree)))),
        own=not all(_is_bare_class(node) for node in own),
        used=tuple(sorted({local for *_, local in imports} & names)) if is_package else (),
    )


def _strip(tree: ast.Module) -> None:
    """Take out texts that stand alone (docstrings), book-keeping and parts for type checkers."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                setattr(node, field, [each for each in block if not _is_idle(each)])


def _is_idle(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    if isinstance(node, ast.If) and not node.orelse:
        test = node.test
        name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
        return bool(name == "TYPE_CHECKING")
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(each, ast.Name) and each.id in _BOOKKEEPING for each in targets)


def _is_bare_class(node: ast.stmt) -> bool:
    """A class of which nothing is left without its docstring, as exceptions are."""
    if not isinstance(node, ast.ClassDef) or node.decorator_list:
        return False
    return all(isinstance(each, ast.Pass) for each in node.body)


def _written(value: object) -> Iterator[str]:
    """A syntax tree as text. Empty fields are left out: Python versions differ in having them."""
    if isinstance(value, ast.AST):
        yield f"({type(value).__name__}"
        for field in value._fields:
            content = getattr(value, field, None)
            is_constant = isinstance(value, ast.Constant) and field == "value"
            if isinstance(value, ast.JoinedStr) and isinstance(content, list):
                content = [each for each in content if not _is_empty(each)]
            if field in ("ctx", "kind", "type_comment", "type_ignores"):
                continue
            if is_constant or (content is not None and content != []):
                yield f" {field}="
                yield from _written(content)
        yield ")"
    elif isinstance(value, list):
        yield "["
        for item in value:
            yield from _written(item)
            yield ","
        yield "]"
    else:
        # Not repr: which characters it escapes depends on Python's Unicode tables.
        yield ascii(value)


def _is_empty(part: object) -> bool:
    """A text of no characters inside of an f-string, which Python 3.12 leaves there."""
    return isinstance(part, ast.Constant) and part.value == ""


def _imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                yield alias.name, "", local
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, is_package)
            for alias in node.names:
                yield base, alias.name, alias.asname or alias.name


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    """The dotted name of what a ``from`` import, relative or not, takes names from."""
    if node.level == 0:
        return node.module or ""
    parts = module.split(".")
    kept = parts[: len(parts) - node.level + is_package]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _registered(tree: ast.Module) -> Iterator[str]:
    """Names given to ``register_module``, as a decorator with or without a name, or as a call."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            for decorator in node.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else None
                if _is_registration(call.func if call else decorator):
                    yield from _names(call) or [node.name]
        elif isinstance(node, ast.Call) and _is_registration(node.func):
            given = next((k.value for k in node.keywords if k.arg == "module"), None)
            if isinstance(given, ast.Name):
                yield from _names(node) or [given.id]


def _is_registration(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr == "register_module"


def _names(call: ast.Call | None) -> list[str]:
    """The names that a call of ``register_module`` spells out."""
    if call is None:
        return []
    given: Iterable[ast.expr] = [
        *call.args[:1],
        *(k.value for k in call.keywords if k.arg == "name"),
    ]
    constants = [
        node for each in given for node in ast.walk(each) if isinstance(node, ast.Constant)
    ]
    return [node.value for node in constants if isinstance(node.value, str)]


def _words(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and len(text) < 100 and _WORD.fullmatch(text):
            yield text

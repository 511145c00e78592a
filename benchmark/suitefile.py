"""Strict reading of suite and claim files: every rule a file can break has its own message."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import paths, registry
from benchmark.errors import SuiteError, UsageError

MAX_SEED = 2**32 - 1
MAX_BYTES = 200_000


def read(path: Path, kind: str = "suite") -> Mapping[str, Any]:
    """The mapping in the YAML file at ``path``, built from plain YAML types only.

    Raises:
        SuiteError: not readable, not YAML, a tag that would build an object, a repeated key, or
            something else than a mapping; with file and, where known, line.
    """
    import yaml

    place = paths.shown(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SuiteError(f"{place}: larger than {MAX_BYTES:,} bytes, this is no {kind}")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{place}: cannot be read as UTF-8 text ({error})") from error
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        _refuse_repeated_keys(root, place)
        document = loader.construct_document(root) if root else None
    except yaml.constructor.ConstructorError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise SuiteError(
            f"{place}{line}: {error.problem}; a {kind} holds only lists, mappings, text and numbers"
        ) from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SuiteError(f"{place}{line}: not valid YAML ({error.problem})") from error
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise SuiteError(f"{place}: not valid YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(document, dict):
        raise SuiteError(f"{place}: expected a mapping of keys, found {_kind(document)}")
    return document


def _refuse_repeated_keys(root: Any, place: str) -> None:
    """Raise for a key given twice: YAML would silently keep the last one."""
    import yaml

    pending, seen = [root], set()
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                pending.extend((key, value))
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if key.value in keys:
                    line = key.start_mark.line + 1
                    raise SuiteError(f"{place}:{line}: key {key.value!r} is given twice")
                keys.add(key.value)


def _kind(value: object) -> str:
    """What a message calls ``value``; long values are cut."""
    if value is None:
        return "nothing"
    name = {"str": "text", "dict": "mapping", "list": "list"}.get(type(value).__name__)
    return f"the {name or type(value).__name__} {registry.shortened(value)}"


@dataclass(frozen=True)
class Section:
    """One mapping of a suite file; ``place`` is the file and key that messages begin with."""

    values: Mapping[str, Any]
    place: str

    def allow(self, required: Sequence[str], optional: Sequence[str]) -> None:
        """Refuse an unknown key and a missing required one."""
        valid = (*required, *optional)
        for key in self.values:
            if key not in valid:
                raise SuiteError(f"{self.place}: {registry.unknown('key', key, valid)}")
        for key in required:
            if key not in self.values:
                raise SuiteError(f"{self.place}: key {key!r} is missing")

    def has(self, key: str) -> bool:
        """Whether ``key`` is given and not empty."""
        return self.values.get(key) is not None

    def text(self, key: str) -> str:
        """A non-empty text."""
        value = self.values[key]
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, "a non-empty text", value)
        return value.strip()

    def name(self, key: str, kind: str) -> str:
        """The name of a registered fragment of ``kind``."""
        return self._registered(key, self.text(key), kind)

    def names(self, key: str, kind: str) -> tuple[str, ...]:
        """A non-empty list of different names of registered fragments of ``kind``."""
        values = self._list(key, f"{kind} names")
        for value in values:
            if not isinstance(value, str):
                raise self._wrong(key, f"a list of {kind} names", value)
        registered = tuple(self._registered(key, value, kind) for value in values)
        self._refuse_duplicates(key, registered)
        return registered

    def seeds(self, key: str) -> tuple[int, ...]:
        """A non-empty list of different integers from 0 to ``MAX_SEED``."""
        values = self._list(key, "seeds")
        for value in values:
            if type(value) is not int or not 0 <= value <= MAX_SEED:
                raise self._wrong(key, f"integers from 0 to {MAX_SEED}", value)
        self._refuse_duplicates(key, values)
        return tuple(values)

    def member(self, key: str, valid: Sequence[str | int]) -> str | int:
        """One of the values of a suite's axis."""
        value: Any = self.values[key]
        if type(value) not in (str, int) or value not in valid:
            known = (str(entry) for entry in valid)
            what = f"{key} of this suite"
            raise SuiteError(f"{self.place}: key {key!r}: {registry.unknown(what, value, known)}")
        chosen: str | int = value
        return chosen

    def members(self, key: str, valid: Sequence[str | int]) -> tuple[str | int, ...]:
        """One of the values of a suite's axis, or a non-empty list of different ones."""
        if not isinstance(self.values[key], list):
            return (self.member(key, valid),)
        values = self._list(key, f"values of {key}")
        found = tuple(Section({key: value}, self.place).member(key, valid) for value in values)
        self._refuse_duplicates(key, found)
        return found

    def some_of(self, key: str, valid: Sequence[str]) -> tuple[str, ...]:
        """A non-empty list of different ``valid`` texts, in the order given."""
        values = self._list(key, key)
        for value in values:
            if not isinstance(value, str) or value not in valid:
                message = registry.unknown(key.removesuffix("s"), value, valid)
                raise SuiteError(f"{self.place}: key {key!r}: {message}")
        self._refuse_duplicates(key, values)
        return tuple(values)

    def choice(self, key: str, valid: Sequence[str]) -> str:
        """One of the ``valid`` texts."""
        value = self.values[key]
        if value not in valid:
            raise self._wrong(key, f"one of {', '.join(valid)}", value)
        chosen: str = value
        return chosen

    def positive(self, key: str) -> float:
        """A finite number above zero."""
        value = self.values[key]
        if type(value) not in (int, float) or not 0 < value < math.inf:
            raise self._wrong(key, "a number above 0", value)
        return float(value)

    def natural(self, key: str, largest: int, least: int = 0) -> int:
        """A whole number from ``least`` to ``largest``."""
        value = self.values[key]
        if type(value) is not int or not least <= value <= largest:
            raise self._wrong(key, f"a whole number from {least} to {largest}", value)
        return value

    def section(self, key: str) -> Section:
        """The mapping under ``key``."""
        value = self.values[key]
        if not isinstance(value, dict):
            raise self._wrong(key, "a mapping", value)
        return Section(value, f"{self.place}: {key}")

    def texts(self, key: str) -> Mapping[str, str]:
        """The mapping under ``key`` from texts to non-empty texts."""
        found = self.section(key)
        for name in found.values:
            if not isinstance(name, str):
                raise self._wrong(key, "a mapping from texts to texts", name)
        return {name: found.text(name) for name in found.values}

    def sections(self, key: str) -> list[Section]:
        """The list of mappings under ``key``; an absent key is an empty list."""
        values = self.values.get(key)
        if values is None:
            return []
        if not isinstance(values, list):
            raise self._wrong(key, "a list of mappings", values)
        for value in values:
            if not isinstance(value, dict):
                raise self._wrong(key, "a list of mappings", value)
        return [Section(value, f"{self.place}: {key}[{i}]") for i, value in enumerate(values)]

    def _list(self, key: str, what: str) -> list[Any]:
        values = self.values[key]
        if not isinstance(values, list) or not values:
            raise self._wrong(key, f"a non-empty list of {what}", values)
        return values

    def _refuse_duplicates(self, key: str, values: Sequence[object]) -> None:
        seen: set[object] = set()
        for value in values:
            if value in seen:
                raise SuiteError(f"{self.place}: key {key!r}: {value!r} is given twice")
            seen.add(value)

    def _registered(self, key: str, name: str, kind: str) -> str:
        try:
            if kind in registry.YAML_KINDS:
                return registry.locate(kind, name).stem
            return registry.find(kind, name).name
        except UsageError as error:
            raise SuiteError(f"{self.place}: key {key!r}: {error}") from error

    def _wrong(self, key: str, expected: str, found: object) -> SuiteError:
        return SuiteError(f"{self.place}: key {key!r}: expected {expected}, found {_kind(found)}")

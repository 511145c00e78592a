"""Names of exported files: realistic values for the placeholders of a layout."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping

from mmseg_ext.datasets.export.description import Description, Part
from mmseg_ext.datasets.layouts import Values

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def placeholders_of(*patterns: str | None) -> list[str]:
    """Names of the placeholders of patterns, in order."""
    found = (_PLACEHOLDER.findall(pattern) for pattern in patterns if pattern is not None)
    return list(dict.fromkeys(name for names in found for name in names))


def filled(pattern: str, values: Mapping[str, str]) -> str:
    """A path for a pattern of a layout."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], pattern)


def chosen(description: Description, part: Part, number: int) -> dict[str, str]:
    """What each placeholder stands for in the image of this number.

    Raises:
        ValueError: a rule gives what its placeholder does not allow, or nothing usual fits one.
    """
    layout = description.layout
    values = dict(part.where)
    for name in placeholders_of(layout.images, layout.labels, layout.segments):
        if name not in values:
            values[name] = _value(description, name, number, values)
    return values


def key22(number: int) -> str:
    """A key of 22 letters, digits, - and _, as Mapillary Vistas names its images."""
    digest = hashlib.sha256(f"key {number}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:22].replace("-", "a", 1)


def hex8_hex8(number: int) -> str:
    """Two groups of 8 hexadecimal digits, as BDD100K names its images."""
    digest = hashlib.sha256(f"clip {number}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:16]}"


def _value(description: Description, name: str, number: int, values: Mapping[str, str]) -> str:
    allowed = description.placeholders.get(name, "[^/]+")
    rule = description.names.get(name)
    if rule is not None:
        value = rule(number, values)
        if not _fits(value, allowed):
            raise ValueError(f"{description.name}: {name} may not be {value!r}, only {allowed!r}")
        return value
    if not isinstance(allowed, str):
        return allowed[number % len(allowed)]
    for value in _usual(number):
        if _fits(value, allowed):
            return value
    raise ValueError(f"{description.name}: no usual name fits {name} = {allowed!r}; give a rule")


def _fits(value: str, allowed: Values) -> bool:
    if isinstance(allowed, str):
        return re.fullmatch(allowed, value) is not None
    return value in allowed


def _usual(number: int) -> Iterator[str]:
    """Forms that names of images have in published data sets."""
    for digits in (6, 5, 7, 4, 8, 10, 1):
        yield f"{number + 1:0{digits}d}"
    yield f"frame_{number + 1:06d}"
    yield hex8_hex8(number)
    yield key22(number)

"""Domains of synthetic corruptions: what their fragment says, and the data set it makes.

A fragment that says ``corrupted = dict(corruptions=[...], severities=[...], every=N)`` is a domain
for scoring: the test images of its reader, each under every corruption at every severity, made when
they are read. A corruption is a condition of the domain, and its score is the mean over severities
(see ``benchmark.scores``).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmark.errors import FragmentError
from benchmark.messages import shortened, unknown
from benchmark.paths import shown
from benchmark.registry import Fragment

KEY = "corrupted"
COMPONENTS = "mmseg_ext.datasets.corrupted_domain"
"""The module that registers what such a domain is read with."""
EXTRA = "corruptions"
"""The optional dependency of ``pyproject.toml`` that has the library."""

_TYPES = {
    "DomainDataset": "CorruptedDomainDataset",
    "FileDomainDataset": "CorruptedFileDomainDataset",
}


def is_corrupted(domain: Fragment) -> bool:
    """Whether a domain consists of corrupted images."""
    return KEY in domain.values


def applied(domain: Fragment, dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The scored data set of a domain, with the corruptions that its fragment asks for.

    ``dataset`` has a pipeline in which image and label are read first. It is returned as it is for
    a domain without corruptions.

    Raises:
        FragmentError: ``corrupted`` or ``custom_imports`` are not as they must be; names the key.
    """
    if not is_corrupted(domain):
        return dict(dataset)
    choice = _Reader(domain).choice()
    read, label, *others = dataset["pipeline"]
    return {
        **dataset,
        "type": _TYPES[dataset["type"]],
        **choice,
        "pipeline": [read, label, {"type": "CorruptImage"}, *others],
    }


def scored_images(domain: Fragment, images: int) -> int:
    """How many images are scored of a domain whose reader has ``images`` of them."""
    if not is_corrupted(domain):
        return images
    choice = _Reader(domain).choice()
    taken = -(-images // choice["every"])
    return taken * len(choice["corruptions"]) * len(choice["severities"])


def refuse_training(domain: Fragment) -> None:
    """Raises ``FragmentError`` for a domain of corrupted images: it is for scoring alone."""
    if is_corrupted(domain):
        raise FragmentError(
            f"{shown(domain.path)}: the images of {domain.name} are corrupted to be scored on, "
            "use it as an unseen domain"
        )


def missing_package(configs: Iterable[Mapping[str, Any]]) -> str | None:
    """What to install for these configurations, ``None`` if it is there or none needs it."""
    needed = (
        COMPONENTS in config.get("custom_imports", {}).get("imports", ()) for config in configs
    )
    if not any(needed):
        return None
    from mmseg_ext.datasets.corruption import MODULE, PACKAGE

    if importlib.util.find_spec(MODULE) is not None:
        return None
    return (
        f"package {PACKAGE} is missing, which corrupts images to be scored on; install it with "
        f"pip install 'udabench[{EXTRA}]'"
    )


class _Reader:
    """Checks what a fragment says under ``corrupted``."""

    def __init__(self, domain: Fragment) -> None:
        self._place = shown(domain.path)
        self._values = domain.values[KEY]
        if COMPONENTS not in domain.imports:
            raise FragmentError(
                f"{self._place}: {KEY} needs custom_imports = dict(imports=[{COMPONENTS!r}])"
            )

    def choice(self) -> dict[str, Any]:
        """The arguments of the corrupted data set."""
        from mmseg_ext.datasets.corruption import CORRUPTIONS, SEVERITIES

        keys = ("corruptions", "severities", "every")
        if not isinstance(self._values, Mapping):
            raise self._wrong("", self._values, f"a dict of {', '.join(keys)}")
        for key in self._values:
            if key not in keys:
                raise FragmentError(f"{self._place}: {KEY}: {unknown('key', key, keys)}")
        every = self._values.get("every", 1)
        if not isinstance(every, int) or isinstance(every, bool) or every < 1:
            raise self._wrong(".every", every, "a number of at least 1")
        return {
            "corruptions": self._listed("corruptions", CORRUPTIONS),
            "severities": self._listed("severities", SEVERITIES),
            "every": every,
        }

    def _listed(self, key: str, valid: Sequence[Any]) -> list[Any]:
        given = self._values.get(key)
        is_list = isinstance(given, (list, tuple)) and len(given) > 0
        if not is_list or len({*map(str, given)}) < len(given):
            raise self._wrong(f".{key}", given, "a list without repetitions")
        for each in given:
            if each not in valid or isinstance(each, bool):
                problem = unknown(key, str(each), [str(one) for one in valid])
                raise FragmentError(f"{self._place}: {KEY}: {problem}")
        return list(given)

    def _wrong(self, key: str, value: Any, expected: str) -> FragmentError:
        return FragmentError(
            f"{self._place}: {KEY}{key} is {shortened(value)}, expected {expected}"
        )

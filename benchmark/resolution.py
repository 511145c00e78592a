"""From a suite's cells to their configurations and identities, shared where cells share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmark import registry, shift_sources
from benchmark.cell import Cell
from benchmark.errors import FragmentError, UsageError
from benchmark.paths import shown
from benchmark.records import Identity
from benchmark.suite import Suite

if TYPE_CHECKING:
    from benchmark.data_fingerprint import DataFiles
    from benchmark.source_hash import Sources


@dataclass(frozen=True)
class _Shared:
    """What cells that differ only in their seed have in common, as it is for one of them."""

    config: Mapping[str, Any]
    identity: Identity


@dataclass(frozen=True)
class Resolution:
    """Resolves the cells of a suite against sources and data as they are when first asked.

    ``iterations`` replaces the protocol's training length. Sources and data are looked at once, so
    an object like this is for one plan, not to be kept.
    """

    suite: Suite
    iterations: int | None
    files: DataFiles
    _shared: dict[tuple[str, str, str], _Shared] = field(default_factory=dict)
    _sources: dict[tuple[str, ...], Sources] = field(default_factory=dict)

    def of(self, cell: Cell) -> tuple[Mapping[str, Any], Identity]:
        """The configuration and the identity of a cell.

        Raises:
            UsageError: a fragment is missing, broken, or does not fit the others.
        """
        from benchmark import compose, identity

        key = cell.method, cell.encoder, cell.shift
        if key not in self._shared:
            self._shared[key] = self._resolve(cell)
        shared = self._shared[key]
        config = compose.with_seed(shared.config, cell.seed)
        return config, identity.with_seed(shared.identity, cell.seed)

    def _resolve(self, cell: Cell) -> _Shared:
        from benchmark import compose, identity

        shift = registry.find("shift", cell.shift)
        config = compose.resolve(
            registry.find("protocol", self.suite.protocol_of(cell.method)),
            registry.find("method", cell.method),
            registry.find("encoder", cell.encoder),
            shift,
            domain_fragments(shift),
            cell.seed,
            self.iterations,
        )
        modules, files = self._modules(config), self.files.of(config)
        return _Shared(config, identity.identify(config, modules, files))

    def _modules(self, config: Mapping[str, Any]) -> Mapping[str, str]:
        from benchmark import source_hash

        packages = tuple(config.get("custom_imports", {}).get("imports", ()))
        if not packages:
            return {}
        if packages not in self._sources:
            self._sources[packages] = source_hash.scan(packages)
        return self._sources[packages].used_by(config)


def domain_fragments(shift: registry.Fragment) -> dict[str, registry.Fragment]:
    """The domains a shift names as source, target and unseen.

    Raises:
        FragmentError: the shift lacks one of these names, names a domain in two roles, or a domain
            does not exist.
    """
    place = shown(shift.path)
    for key, kind in (("target", str), ("unseen", (list, tuple))):
        if not isinstance(shift.values.get(key), kind):
            expected = "a list of domain names" if key == "unseen" else "the name of a domain"
            raise FragmentError(f"{place}: {key} must be {expected}")
    trained = [*shift_sources.names(shift), shift.values["target"]]
    seen = [name for name in trained if name in shift.values["unseen"]]
    if seen:
        raise FragmentError(
            f"{place}: unseen names {', '.join(seen)}, which is trained on as source or target"
        )
    names = [*trained, *shift.values["unseen"]]
    try:
        return {name: registry.find("domain", name) for name in names}
    except FragmentError:
        raise
    except UsageError as error:
        raise FragmentError(f"{place}: {error}") from error

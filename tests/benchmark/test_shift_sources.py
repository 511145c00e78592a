"""What a shift may say of its sources, and whom a mistake in a plugin's shift concerns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plugin_package
import pytest

from benchmark import plugins, registry, shift_sources
from benchmark.errors import FragmentError


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path that packages are written into."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    registry.forget()
    yield folder
    registry.forget()


def names(configs: Any, source: str) -> tuple[str, ...]:
    configs.fragment("shift", "there", f"source = {source}\ntarget = 'far'\nunseen = []\n")
    return shift_sources.names(registry.find("shift", "there"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'here'", ("here",)),
        ("['here']", ("here",)),
        ("['here', 'a', 'b']", ("here", "a", "b")),
        ("('b', 'a')", ("b", "a")),
    ],
)
def test_a_name_or_a_list_of_names(configs: Any, source: str, expected: tuple[str, ...]) -> None:
    assert names(configs, source) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[]", r"source must be the name of a domain, or a list of names .*; found \[\]"),
        ("None", "source must be the name of a domain, or a list of names .*; found None"),
        ("''", "source must be the name of a domain, or a list of names .*; found ''"),
        ("{'here': 1}", "source must be .* found {'here': 1}"),
        ("['here', 1]", r"source must be .* found \['here', 1\]"),
        ("['a', 'here', 'a', 'here']", "source names a, here twice; each domain's images"),
        ("'far'", "far is the target and a source; .* Name another source"),
        ("['here', 'far']", "far is the target and a source; .* Name another source"),
    ],
)
def test_what_a_source_cannot_be_is_said_with_the_file(
    configs: Any, source: str, message: str
) -> None:
    with pytest.raises(FragmentError, match=f"^configs/shifts/there.py: {message}"):
        names(configs, source)


def test_a_broken_shift_of_a_plugin_concerns_only_who_uses_it(configs: Any, site: Path) -> None:
    files = {
        "shifts/torn.py": "source = []\ntarget = 'far'\nunseen = []\n",
        "shifts/whole.py": "source = ['here', 'a']\ntarget = 'far'\nunseen = []\n",
    }
    plugin_package.write(site, "extras", files, "uda-extras")
    found = {shift.name: sources for shift, sources in shift_sources.of_all()}
    assert found == {"there": ("here",), "whole": ("here", "a")}
    with pytest.raises(FragmentError, match=r"torn\.py: source must be"):
        shift_sources.names(registry.find("shift", "torn"))
    configs.fragment("shift", "there", "source = []\ntarget = 'far'\nunseen = []\n")
    with pytest.raises(FragmentError, match=r"there\.py: source must be"):
        shift_sources.of_all()

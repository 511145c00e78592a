"""Plugins: how they are found, what they may bring, and what a broken one is answered with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plugin_package
import pytest

from benchmark import claims, paths, plan, plugins, registry, rehearsal
from benchmark import suite as suites
from benchmark.errors import FragmentError, PluginError, SuiteError, UsageError
from benchmark.rehearsal import Terms
from benchmark.weights import WeightsFolder

METHOD = 'model = dict(type="Extra")\n'
SUITE = """title: Mine
protocol: short
methods: [good, extra]
encoders: [small]
shifts: [there]
seeds: [0]
"""


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


def test_an_installed_package_is_found_without_being_imported(configs: Any, site: Path) -> None:
    plugin_package.write(site, "extras", {"methods/extra.py": METHOD}, "uda-extras", "1 / 0")
    assert plugins.active() == (
        plugins.Plugin("extras", "package uda-extras 1.2", site / "extras/configs", "uda-extras"),
    )
    assert "extra" in registry.names("method")
    found = registry.find("method", "extra")
    assert (found.origin, found.module) == ("package uda-extras 1.2", "extras")
    assert registry.find("method", "good").origin == "udabench"
    assert "extras" not in sys.modules


def test_a_module_named_twice_is_one_plugin(
    configs: Any, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_package.write(site, "extras", {"methods/extra.py": METHOD}, "uda-extras")
    plugin_package.write(site, "plain", {"encoders/tower.py": ""})
    monkeypatch.setenv(plugins.VARIABLE, "plain, extras,plain,")
    origins = [each.origin for each in plugins.active()]
    assert origins == ["package uda-extras 1.2", "--plugin plain"]
    assert registry.names("encoder") == ["large", "small", "tower"]


def test_the_option_holds_for_a_block_and_keeps_what_the_variable_says(
    configs: Any, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        plugin_package.write(site, name, {})
    with plugins.added(["one"]):
        assert [each.module for each in plugins.active()] == ["one"]
        with plugins.added(["two", "one"]):
            assert [each.module for each in plugins.active()] == ["one", "two"]
    assert plugins.active() == ()
    monkeypatch.setenv(plugins.VARIABLE, "two")
    with plugins.added([]):
        assert [each.module for each in plugins.active()] == ["two"]


def test_a_module_inside_of_a_package_is_found_without_its_parents(
    configs: Any, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_package.write(site, "outer", {}, code="1 / 0")
    plugin_package.write(site / "outer", "inner", {"methods/extra.py": METHOD})
    monkeypatch.setenv(plugins.VARIABLE, "outer.inner")
    assert registry.find("method", "extra").module == "outer.inner"
    assert "outer" not in sys.modules


def test_a_module_of_one_file_with_a_folder_of_fragments(
    configs: Any, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "single.py").write_text("")
    plugin_package.write(site, "folder", {"methods/extra.py": METHOD})
    monkeypatch.setenv(plugins.VARIABLE, "single")
    assert "extra" not in registry.names("method")
    monkeypatch.setenv(plugins.VARIABLE, f"single={site / 'folder/configs'}")
    assert registry.find("method", "extra").module == "single"


def test_a_folder_that_is_ours_adds_nothing(
    configs: Any, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "single.py").write_text("")
    monkeypatch.setenv(plugins.VARIABLE, f"single={configs.root}")
    assert registry.find("method", "good").origin == "udabench"


def test_an_unknown_module_is_answered_with_the_closest_and_what_to_do(
    configs: Any, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_package.write(site, "extras", {}, "uda-extras")
    monkeypatch.setenv(plugins.VARIABLE, "extrass")
    with pytest.raises(PluginError, match=r"--plugin extrass .*closest: 'extras'") as caught:
        registry.names("method")
    assert "plugins of installed packages: extras. Install its package" in str(caught.value)
    monkeypatch.setenv(plugins.VARIABLE, "extras.deeper")
    with pytest.raises(PluginError, match=r"--plugin extras\.deeper .*closest: 'extras'"):
        plugins.active()


def test_an_entry_point_that_leads_nowhere_harms_only_who_needs_it(
    configs: Any, site: Path
) -> None:
    plugin_package.announce(site, "uda-gone", "gone")
    assert registry.find("method", "good").name == "good"
    (problem,) = plugins.problems()
    assert problem == (
        "package uda-gone 1.2: its entry point own = gone (group udabench.plugins) leads to no "
        "module; install the package again, or uninstall it"
    )
    with pytest.raises(UsageError, match=r"unknown method 'extra'.*left out: package uda-gone 1.2"):
        registry.find("method", "extra")


def test_an_unknown_name_lists_where_it_was_looked_for(configs: Any, site: Path) -> None:
    plugin_package.write(site, "extras", {"methods/extra.py": METHOD}, "uda-extras")
    with pytest.raises(UsageError, match="unknown method 'extrs'; closest: 'extra'") as caught:
        registry.find("method", "extrs")
    assert "(in configs/methods, package uda-extras 1.2)" in str(caught.value)


def test_a_name_that_is_there_twice_names_both_origins_and_leaves_the_others_alone(
    configs: Any, site: Path
) -> None:
    files = {"methods/good.py": METHOD, "methods/extra.py": METHOD}
    plugin_package.write(site, "extras", files, "uda-extras")
    assert registry.names("method").count("good") == 1
    with pytest.raises(FragmentError, match="method 'good' is there 2 times") as caught:
        registry.find("method", "good")
    assert "configs/methods/good.py (udabench) and " in str(caught.value)
    assert "configs/methods/good.py (package uda-extras 1.2)" in str(caught.value)
    assert registry.find("method", "extra").module == "extras"
    assert registry.find("method", "better").origin == "udabench"
    assert "good" not in [each.name for each in registry.sound("method")]
    with pytest.raises(SuiteError, match=r"tiny.yaml: key 'methods': method 'good' is there 2"):
        suites.load(str(configs.suite("")))


def test_a_broken_fragment_of_a_plugin_is_left_out_where_all_are_looked_through(
    configs: Any, site: Path
) -> None:
    files = {"methods/extra.py": METHOD, "methods/torn.py": "1 / 0\n", "methods/a__b.py": ""}
    plugin_package.write(site, "extras", files, "uda-extras")
    found = [each.name for each in registry.sound("method")]
    assert found == ["bad", "better", "crash", "extra", "good", "slow"]
    with pytest.raises(FragmentError, match=r"extras/configs/methods/torn.py:2: ZeroDivision"):
        registry.find("method", "torn")
    configs.fragment("method", "torn-too", "1 / 0\n")
    with pytest.raises(FragmentError, match=r"torn-too.py:2: ZeroDivisionError"):
        registry.sound("method")


def test_suites_and_claims_come_along(configs: Any, site: Path) -> None:
    claim = (
        "title: T\nstatement: S\nsource: here\nseeds: 1\nholds: {greater: [figure, 0]}\n"
        "figure: {miou: {method: extra, encoder: small, shift: there, domains: target}}\n"
    )
    files = {"methods/extra.py": METHOD, "suites/mine.yaml": SUITE, "claims/ours.yaml": claim}
    home = plugin_package.write(site, "extras", files, "uda-extras")
    suite = suites.load("mine")
    assert (suite.methods, suite.reference) == (("good", "extra"), "mine")
    assert claims.load("ours").path == home / "configs/claims/ours.yaml"


def test_importing_a_plugin_that_fails_names_it(configs: Any, site: Path) -> None:
    plugin_package.write(site, "extras", {}, "uda-extras", "import nothing_like_this\n")
    message = r"plugin extras \(package uda-extras 1.2\): importing it fails with ModuleNotFound"
    with pytest.raises(PluginError, match=message):
        plugins.load(["mmseg_ext", "extras"])
    with pytest.raises(PluginError, match=r"plugin elsewhere: importing it fails with Module"):
        plugins.load(["elsewhere"])


def cells(tmp_path: Path) -> dict[str, Any]:
    """Entries of a plan of ours and of the plugin's method, on real fragments."""
    file = tmp_path / "both.yaml"
    file.write_text(
        "title: Both\nprotocol: minidrive\nmethods: [dacs, extra]\nencoders: [resnet-mini]\n"
        "shifts: [minidrive]\nseeds: [0]\n"
    )
    entries = plan.make(suites.load(str(file)), tmp_path / "out").entries
    return {entry.cell.method: entry for entry in entries}


def write_real(site: Path, extra: str = "") -> Path:
    files = {"methods/extra.py": METHOD.replace("Extra", "ExtraMethod") + extra}
    code = "from extras.method import ExtraMethod\n"
    home = plugin_package.write(site, "extras", files, "uda-extras", code)
    (home / "method.py").write_text(plugin_package.METHOD.format("ExtraMethod"))
    (home / "unused.py").write_text("VALUE = 1\n")
    return home


@pytest.fixture
def no_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UDABENCH_CONFIGS", raising=False)


@pytest.mark.usefixtures("no_configs")
def test_only_cells_that_use_it_import_a_plugin_and_have_its_source(
    site: Path, tmp_path: Path
) -> None:
    before = {entry.identity.id for entry in plan.make(suites.load("demo"), tmp_path).entries}
    home = write_real(site)
    registry.forget()
    found = cells(tmp_path)
    imports = {name: e.config["custom_imports"]["imports"] for name, e in found.items()}
    assert imports == {"dacs": ["mmseg_ext"], "extra": ["mmseg_ext", "extras"]}
    assert "extras/method.py" in found["extra"].identity.modules
    assert "extras/unused.py" not in found["extra"].identity.modules
    assert not any("extras" in name for name in found["dacs"].identity.modules)
    after = {entry.identity.id for entry in plan.make(suites.load("demo"), tmp_path).entries}
    assert after == before

    source = home / "method.py"
    (home / "unused.py").write_text("VALUE = 2\n")
    source.write_text(source.read_text() + "# a remark\n")
    assert cells(tmp_path)["extra"].identity == found["extra"].identity
    source.write_text(source.read_text().replace("rate = 1", "rate = 2"))
    changed = cells(tmp_path)
    assert changed["extra"].identity.id != found["extra"].identity.id
    assert changed["dacs"].identity == found["dacs"].identity


@pytest.mark.usefixtures("no_configs")
def test_every_kind_of_fragment_brings_its_plugin(site: Path, tmp_path: Path) -> None:
    """The shift's, that of an encoder which teaches, and what a fragment imports by itself."""
    write_real(site, "custom_imports = dict(imports=['further'])\n")
    (site / "further.py").write_text("")
    shift = (paths.configs_root() / "shifts/minidrive.py").read_text()
    plugin_package.write(site, "places", {"shifts/elsewhere.py": shift}, "uda-places")
    teacher = (paths.configs_root() / "encoders/resnet-mini.py").read_text()
    plugin_package.write(site, "towers", {"encoders/tower.py": teacher}, "uda-towers")
    distance = 'feature_distance=dict(teacher=dict(encoder="tower"), weight=0.1)'
    taught = {"methods/taught.py": f'model = dict(type="ExtraMethod", {distance})\n'}
    plugin_package.write(site, "taught", taught, "uda-taught")
    registry.forget()
    file = tmp_path / "far.yaml"
    file.write_text(
        "title: Far\nprotocol: minidrive\nmethods: [extra, taught]\nencoders: [resnet-mini]\n"
        "shifts: [elsewhere]\nseeds: [0]\n"
    )
    extra, taught_cell = plan.make(suites.load(str(file)), tmp_path / "out").entries
    imports = [e.config["custom_imports"]["imports"] for e in (extra, taught_cell)]
    assert imports[0] == ["mmseg_ext", "extras", "further", "places"]
    assert imports[1] == ["mmseg_ext", "taught", "places", "towers"]


@pytest.mark.parametrize("text", ["'further'", "dict(imports='further')", "dict(imports=[1])", "3"])
def test_imports_of_another_form_are_refused(configs: Any, text: str) -> None:
    configs.fragment("method", "odd", f"custom_imports = {text}\n")
    with pytest.raises(FragmentError, match=r"odd.py: custom_imports must be dict\(imports="):
        _ = registry.find("method", "odd").imports


@pytest.mark.usefixtures("no_configs")
def test_a_rehearsal_keeps_a_plugin_a_plugin(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = 'backbone = dict(type="T", pretrained="w")\n'
    home = plugin_package.write(site, "extras", {"encoders/tower.py": backbone}, "uda-extras")
    (home / "configs/encoders/torn.py").write_text("1 / 0\n")
    registry.forget()
    folder = tmp_path / "place/configs"
    terms, weights = Terms(iterations=3, images=2, shrink=1), WeightsFolder(None)
    rehearsal.derived(suites.load("demo"), folder, terms, weights)
    monkeypatch.setenv(plugins.VARIABLE, rehearsal.plugin_folders(folder))
    monkeypatch.setenv("UDABENCH_CONFIGS", str(folder))
    registry.forget()
    tower = registry.find("encoder", "tower")
    assert tower.values["backbone"] == {"type": "T", "pretrained": None}
    assert (tower.module, tower.origin) == ("extras", "package uda-extras 1.2")
    assert tower.path == tmp_path / "place/plugins/extras/encoders/tower.py"
    assert 'pretrained="w"' in (home / "configs/encoders/tower.py").read_text()

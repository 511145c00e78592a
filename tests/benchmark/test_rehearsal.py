"""Rehearsals derive a suite that is the real one but for what is announced."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark import paths, plan, registry, rehearsal
from benchmark import suite as suites
from benchmark.rehearsal import Terms, smaller
from benchmark.suite import Suite
from benchmark.weights import WeightsFolder

NO_WEIGHTS = WeightsFolder(None)


@pytest.fixture
def rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Derive a suite, and read fragments from the derived folder from then on."""

    def derive(name: str, terms: Terms) -> Suite:
        file = rehearsal.derived(suites.load(name), tmp_path / "configs", terms, NO_WEIGHTS)
        monkeypatch.setenv("UDABENCH_CONFIGS", str(tmp_path / "configs"))
        registry.forget()
        return suites.load(str(file))

    yield derive
    registry.forget()


@pytest.mark.parametrize("name", ["paper", "clashing-parts"])
def test_every_cell_of_a_suite_resolves_and_only_what_is_announced_differs(
    rehearsed, tmp_path: Path, name: str
) -> None:
    real = {e.cell: e.config for e in plan.make(suites.load(name), tmp_path).entries}
    suite = rehearsed(name, Terms(iterations=3, images=2, shrink=1))
    assert suite.checkpoints.keep == "nothing"  # weights of random networks, gigabytes a cell
    entries = plan.make(suite, tmp_path).entries
    assert {entry.cell for entry in entries} == {cell for cell in real if cell.seed == 0}
    for entry in entries:
        changed = {
            path
            for path in differences(entry.config, real[entry.cell])
            # Lengths of schedules, weights and the sampling of rare classes.
            if not path.startswith(("train_cfg.max_iters", "param_scheduler"))
            and "pretrained" not in path
            and "weights_of" not in path
            and "rare_class_sampling.min_" not in path
        }
        assert changed == set(), entry.cell


def differences(left: object, right: object, path: str = "") -> set[str]:
    """Dotted paths at which two configurations differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        keys = {*left, *right}
        below = [differences(left.get(k), right.get(k), f"{path}.{k}".strip(".")) for k in keys]
        return set().union(*below)
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        return set().union(*(differences(a, b, f"{path}.{i}") for i, (a, b) in pairs))
    return set() if left == right else {path}


def test_crops_and_images_shrink_together(rehearsed, tmp_path: Path) -> None:
    suite = rehearsed("paper", Terms(iterations=3, images=2, shrink=4))
    entry = next(e for e in plan.make(suite, tmp_path).entries if e.cell.method == "daformer")
    assert entry.config["model"]["data_preprocessor"]["size"] == [128, 128]
    source = entry.config["train_dataloader"]["dataset"]["source"]["pipeline"]
    sizes = {each["type"]: each for each in source}
    assert sizes["Resize"]["scale"] == [320, 180]
    assert sizes["RandomCrop"]["crop_size"] == [128, 128]
    # 15 and 120 of 512 rows, the same share of 128.
    assert entry.config["model"]["ignored_rows"] == {"top": 3, "bottom": 30}


def test_a_cut_suite_forgets_exclusions_of_what_it_has_not(rehearsed, monkeypatch) -> None:
    def cut(name: str) -> Suite:
        suite = load(name)
        return suite if "/" in name else suite.with_overrides(only={"method": ["hrda", "dacs"]})

    load = suites.load
    monkeypatch.setattr(suites, "load", cut)
    suite = rehearsed("published", Terms(iterations=3, images=2, shrink=4))
    assert suite.methods == ("dacs", "hrda")
    assert [cell.method for cell, _ in suite.excluded_cells()] == ["hrda"]


def test_weights_that_are_there_are_used(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "mit-b5.pth").write_bytes(b"not looked at here")
    suite = suites.load("paper")
    rehearsal.derived(suite, tmp_path / "configs", Terms(3, 2, 1), WeightsFolder(folder))
    written = {path.stem for path in (tmp_path / "configs" / "encoders").glob("*.py")}
    assert "mit-b5" in written
    own = registry.find("encoder", "mit-b5").path.read_text()
    assert (tmp_path / "configs" / "encoders" / "mit-b5.py").read_text() == own
    assert "pretrained': None" in (tmp_path / "configs" / "encoders" / "resnet101.py").read_text()


def test_the_real_fragments_stay_as_they_are(tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in paths.configs_root().rglob("*.py")}
    rehearsal.derived(suites.load("demo"), tmp_path / "configs", Terms(3, 2, 4), NO_WEIGHTS)
    assert {path: path.read_bytes() for path in paths.configs_root().rglob("*.py")} == before


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"crop_size": (512, 512), "channels": 256}, {"crop_size": (128, 128), "channels": 256}),
        ({"scales": {"acdc": (960, 540)}}, {"scales": {"acdc": (240, 134)}}),
        ([{"stride": (512, 512)}], [{"stride": (128, 128)}]),
    ],
)
def test_only_sizes_in_pixels_shrink(given: object, expected: object) -> None:
    assert smaller(given, 4) == expected
    assert smaller(given, 1) == given

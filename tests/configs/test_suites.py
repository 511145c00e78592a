"""The shipped suites: every one plans, every one has a whole report before anything is run."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmark import plan, registry
from benchmark import suite as suites
from benchmark.plan import Plan
from benchmark.report import gather
from benchmark.report.tables import build, claims

SUITES = registry.names("suite")
STUDY = {  # cells to run
    "paper": 243,
    "published": 27,
    "experiment-1": 27,
    "experiment-2": 60,
    "experiment-3": 36,
    "clashing-parts": 132,
    "more-shifts": 261,
    "encoders": 78,
    "unseen": 60,
    "overhead": 45,
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Plan]:
    """The plan of every suite, without a record."""
    out = tmp_path_factory.mktemp("none")
    return {name: plan.make(suites.load(name), out) for name in SUITES}


@pytest.mark.parametrize("name", SUITES)
def test_a_report_without_records_has_every_table_that_the_suite_asks_for(
    planned: dict[str, Plan], name: str
) -> None:
    grid = gather.from_plan(planned[name])
    tables = {table.name: table for table in build(grid)}
    # Conditions, and the classes that a domain has, are known from records; profiles from files.
    assert {*grid.tables} - {"conditions", "per_class", "profile"} <= tables.keys()
    assert "uda" in tables
    for table in tables.values():
        states = Counter(cell.state for *_, cell in table.cells())
        assert states.keys() & {"failed", "stale", "running", "partial"} == set()
        if table.name not in ("comparison", "claims", "overhead"):
            assert states["done"] == 0
    if grid.claims:
        verdicts = [row.cells[-1].text for row in claims(grid).sections[0].rows]
        assert verdicts == ["not run"] * len(grid.claims)
    asked = {
        (e.cell.method, e.cell.encoder, e.cell.shift)
        for e in planned[name].entries
        if e.config.get("model", {}).get("feature_distance")
    }
    if "feature_distance" in tables:
        assert sum(len(each.rows) for each in tables["feature_distance"].sections) == len(asked)
    else:
        assert not asked or grid.tables


@pytest.mark.parametrize("name", STUDY)
def test_the_size_of_a_grid(planned: dict[str, Plan], name: str) -> None:
    counts = planned[name].counts()
    assert counts["missing"] == STUDY[name]


def test_published_rows_stand_beside_cells_that_are_not_run(planned: dict[str, Plan]) -> None:
    for name in ("paper", "published", "experiment-1", "encoders", "more-shifts"):
        table = next(t for t in build(gather.from_plan(planned[name])) if t.name == "comparison")
        states = Counter(cell.state for *_, cell in table.cells())
        assert states["done"] > 10
        assert states["missing"] > 0


def test_every_claim_of_the_study_is_in_a_suite() -> None:
    named = {claim for name in SUITES for claim in suites.load(name).claims}
    assert {*registry.names("claim")} <= named


def test_a_claim_waits_for_cells_and_for_nothing_else(planned: dict[str, Plan]) -> None:
    for name in STUDY:
        grid = gather.from_plan(planned[name])
        notes = "; ".join(claims(grid).notes) if grid.claims else ""
        assert "the suite has no" not in notes
        # The claims of papers are scored by the rules of their papers.
        assert "the figure was scored as in" not in notes


def test_equal_cells_of_different_suites_have_equal_identities(planned: dict[str, Plan]) -> None:
    def ids(name: str) -> dict[tuple[str, ...], str]:
        return {
            (e.cell.method, e.cell.encoder, e.cell.shift, str(e.cell.seed)): e.identity.id
            for e in planned[name].entries
            if e.identity
        }

    paper, first, second = ids("paper"), ids("experiment-1"), ids("experiment-2")
    assert first.items() <= paper.items()
    for encoder, variant in (("mit-b5", "fd-own"), ("eva02-clip-l14", "fd-off")):
        place = (encoder, "gta5-cityscapes", "1")
        assert second[(f"daformer-{variant}", *place)] == paper[("daformer", *place)]


def test_each_part_of_clashing_parts_changes_one_thing(planned: dict[str, Plan]) -> None:
    configs = {
        (e.cell.method, e.cell.encoder): e.config
        for e in planned["clashing-parts"].entries
        if e.config and e.cell.seed == 0
    }
    plain = "eva02-clip-l14"

    def model(method: str, encoder: str = plain) -> dict[str, object]:
        return dict(configs[method, encoder]["model"])

    assert model("dacs-mix-image") == {**model("dacs"), "class_mix": {"scope": "image"}}
    assert model("dacs-rcs") == model("dacs")
    sampling = [
        configs[method, plain]["train_dataloader"]["dataset"].get("rare_class_sampling")
        for method in ("dacs", "dacs-rcs", "daformer-fd-off", "daformer-rcs-off")
    ]
    assert sampling[0] is None is sampling[3]
    assert sampling[1] == sampling[2] is not None
    weights = [
        model(f"adaptsegnet{end}")["adversary"] for end in ("-1e-4", "-3e-4", "", "-3e-3", "-1e-2")
    ]
    assert weights == [
        {"gan_loss": "bce", "weight": weight} for weight in (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
    ]
    warmup = configs["dacs-no-warmup", plain]["param_scheduler"][0]
    assert (warmup["start_factor"], warmup["end"]) == (1.0, 1)
    tuned = {end: configs["dacs", f"{plain}{end}"] for end in ("", "-frozen", "-half", "-ld09")}
    backbones = {end: each["model"]["segmentor"]["backbone"] for end, each in tuned.items()}
    assert {end: each.get("frozen", 0) for end, each in backbones.items()} == {
        "": 0, "-frozen": "all", "-half": 12, "-ld09": 0,
    }  # fmt: skip
    assert {each["weights_of"] for each in backbones.values()} == {plain}
    decay = {end: c["optim_wrapper"]["paramwise_cfg"]["layer_decay"] for end, c in tuned.items()}
    assert decay == {"": 1.0, "-frozen": 1.0, "-half": 1.0, "-ld09": 0.9}
    distance = {
        name: model(f"daformer-fd-{name}", f"{plain}-p16")["feature_distance"]
        for name in ("tower", "imagenet", "dinov2", "off")
    }
    assert distance["off"] is None
    assert distance["tower"]["teacher"] == "initial"  # type: ignore[index]
    teachers = {name: distance[name]["teacher"]["encoder"] for name in ("imagenet", "dinov2")}  # type: ignore[index]
    assert teachers["imagenet"]["pretrained"] == "mim_m38m_ft_in22k_in1k"
    assert teachers["dinov2"]["weights_of"] == "dinov2-l14"
    assert {each["patch_fit"] for each in teachers.values()} == {"resample"}

"""The configuration a cell is trained with: what each role may see, and the schedule's formula."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from benchmark import compose, plan, registry
from benchmark.cell import Cell
from benchmark.errors import FragmentError
from benchmark.identity import identify
from benchmark.paths import CellPaths
from benchmark.runner_config import for_this_machine
from benchmark.runtime import Runtime


def resolve(method: str, encoder: str = "resnet-mini", **changes: Any) -> dict[str, Any]:
    """The demo's configuration; ``changes`` replace values of the protocol."""
    protocol = registry.find("protocol", "minidrive")
    protocol = dataclasses.replace(protocol, values={**protocol.values, **changes})
    shift = registry.find("shift", "minidrive")
    return compose.resolve(
        protocol,
        registry.find("method", method),
        registry.find("encoder", encoder),
        shift,
        plan.domain_fragments(shift),
        seed=3,
    )


def reads_labels(dataset: dict[str, Any]) -> bool:
    return any(step["type"] == "ReadLabel" for step in dataset["pipeline"])


def test_a_uda_method_gets_target_images_and_no_trace_of_their_labels() -> None:
    pair = resolve("dacs")["train_dataloader"]["dataset"]
    assert pair["source"]["domain"] == "minidrive-synthetic"
    assert reads_labels(pair["source"])
    assert pair["target"]["domain"] == "minidrive-real"
    assert pair["target"]["labels"] is None
    assert not reads_labels(pair["target"])


@pytest.mark.parametrize("method", ["source-only", "source-aug"])
def test_source_methods_never_open_the_target(method: str) -> None:
    pair = resolve(method)["train_dataloader"]["dataset"]
    assert pair["source"]["domain"] == "minidrive-synthetic"
    assert pair["target"] is None


def test_only_the_oracle_reads_target_labels_and_it_says_so_on_its_card() -> None:
    pair = resolve("oracle")["train_dataloader"]["dataset"]
    assert (pair["source"]["domain"], pair["target"]) == ("minidrive-real", None)
    allowed = {
        name
        for name in registry.names("method")
        if registry.find("method", name).card["target_labels"]
    }
    assert allowed == {"oracle"}


def test_rare_class_sampling_goes_to_the_data_of_the_methods_that_ask_for_it() -> None:
    rule = registry.find("method", "source-only-rcs").values["rare_class_sampling"]
    changes = {"source-only-rcs": {"rare_class_sampling": {"temperature": 0.5}}}
    config = resolve("source-only-rcs", methods=changes)
    pair = config["train_dataloader"]["dataset"]
    assert pair["rare_class_sampling"] == {**rule, "temperature": 0.5}
    assert pair["target"] is None
    assert config["model"] == resolve("source-only")["model"]
    assert "rare_class_sampling" not in resolve("source-only")["train_dataloader"]["dataset"]
    off = resolve("source-only-rcs", methods={"source-only-rcs": {"rare_class_sampling": None}})
    assert off == resolve("source-only")


def test_an_encoder_may_refuse_the_feature_distance() -> None:
    plain = {"methods": {}}
    assert resolve("daformer", "mit-b5", **plain)["model"]["feature_distance"]["weight"] == 0.005
    assert resolve("daformer", "eva02-clip-l14", **plain)["model"]["feature_distance"] is None


def test_supervised_baselines_may_have_a_pipeline_of_their_own() -> None:
    steps = {name: [{"type": name}] for name in ("source", "target", "photometric")}

    def used(method: str, role: str) -> list[str]:
        pair = resolve(method, pipeline=steps)["train_dataloader"]["dataset"]
        return [step["type"] for step in pair[role]["pipeline"] if step["type"] in steps]

    assert used("source-only", "source") == used("oracle", "source") == ["photometric"]
    for method in ("source-aug", "source-only-rcs", "dacs", "daformer", "adaptsegnet"):
        assert used(method, "source") == ["source"]
    assert used("dacs", "target") == used("mic", "target") == ["target"]
    with pytest.raises(FragmentError, match="expected a list or a dict of source, target"):
        resolve("dacs", pipeline={"source": []})


def test_evaluation_settings_reach_the_segmentor() -> None:
    evaluation = {"mode": "slide", "crop_size": (32, 32), "stride": (16, 16), "batch_size": 4}
    config = resolve("source-only", evaluation=evaluation)
    assert config["model"]["segmentor"]["test_cfg"] == {
        "mode": "slide", "crop_size": [32, 32], "stride": [16, 16],
    }  # fmt: skip
    assert config["test_dataloader"]["minidrive-real"]["batch_size"] == 4


def test_a_method_may_build_on_another_segmentor() -> None:
    plain, hrda = (resolve(method)["model"] for method in ("daformer", "hrda"))
    assert plain["segmentor"]["type"] == "EncoderDecoder"
    assert hrda["segmentor"].pop("scale_attention") == {"classwise": True}
    slide = {"mode": "slide", "crop_size": [1024, 1024], "stride": [512, 512]}
    changed = {"type": "HRDASegmentor", "detail_share": 0.1, "detail_size": [32, 64]}
    changed["test_cfg"] = slide
    assert hrda["segmentor"] == {**plain["segmentor"], **changed}
    assert {**hrda, "segmentor": None} == {**plain, "segmentor": None}


@pytest.mark.parametrize(
    ("method", "base"), [("mic", "daformer"), ("mic-hrda", "hrda"), ("daformer", "dacs")]
)
def test_methods_that_build_on_each_other_share_their_constants(method: str, base: str) -> None:
    model, basis = (registry.find("method", name).values["model"] for name in (method, base))
    differing = {key for key, value in basis.items() if model[key] != value}
    assert differing <= {"type", "teacher", "ignored_rows", "strong_augmentation"}
    assert basis["strong_augmentation"].items() <= model["strong_augmentation"].items()
    if base != "dacs":
        assert model["teacher"] == basis["teacher"]


def test_masks_of_valid_pixels_are_for_methods_and_domains_that_have_margins() -> None:
    margins = {"top": 1, "bottom": 2, "left": 0, "right": 0, "native_size": (64, 128)}
    shift = registry.find("shift", "minidrive")
    domains = dict(plan.domain_fragments(shift))
    target = domains["minidrive-real"]
    domains["minidrive-real"] = dataclasses.replace(
        target, values={**target.values, "valid_margins": margins}
    )
    protocol = registry.find("protocol", "minidrive")
    encoder = registry.find("encoder", "resnet-mini")
    for method, expected in (("mic-hrda", True), ("mic", False), ("dacs", False)):
        fragment = registry.find("method", method)
        config = compose.resolve(protocol, fragment, encoder, shift, domains, seed=0)
        pair = config["train_dataloader"]["dataset"]
        kinds = [step["type"] for step in pair["target"]["pipeline"]]
        assert ("AttachValidPixels" in kinds) is expected
        assert kinds[-1] == ("PackWithValidPixels" if expected else "PackSegInputs")
        assert "AttachValidPixels" not in [step["type"] for step in pair["source"]["pipeline"]]
    assert resolve("mic")["train_dataloader"]["dataset"]["target"]["pipeline"][-1] == {
        "type": "PackSegInputs"
    }


def test_counts_are_kept_in_the_cache_and_not_part_of_the_identity() -> None:
    config = resolve("source-only-rcs")
    runtime = Runtime("cpu", 1, 0, None, Path("/cache"))
    cell = Cell("source-only-rcs", "resnet-mini", "minidrive", 0)
    here = for_this_machine(config, CellPaths(Path("/out/s"), cell), runtime)
    sampling = here["train_dataloader"]["dataset"]["rare_class_sampling"]
    assert sampling["cache"] == "/cache/class_statistics"
    assert "cache" not in config["train_dataloader"]["dataset"]["rare_class_sampling"]


def test_every_domain_of_the_shift_is_scored_on_its_test_split_with_its_role() -> None:
    config = resolve("source-only")
    assert list(config["test_dataloader"]) == list(config["roles"])
    assert config["roles"]["minidrive-synthetic"] == "source"
    assert config["roles"]["minidrive-real"] == "target"
    assert list(config["roles"].values()).count("unseen") == 5
    for name, loader in config["test_dataloader"].items():
        assert loader["dataset"]["domain"] == name
        assert loader["dataset"]["images"].split("/")[1] == "test"


def test_the_control_uses_the_augmentation_of_dacs() -> None:
    augmentations = [
        resolve(method)["model"]["strong_augmentation"] for method in ("source-aug", "dacs")
    ]
    assert augmentations[0] == augmentations[1]
    assert augmentations[0] is not None


def test_the_protocol_changes_only_the_method_it_names() -> None:
    changed = resolve("dacs", methods={"dacs": {"teacher": {"alpha": 0.5}}})
    assert changed["model"]["teacher"] == {"alpha": 0.5}
    assert (
        changed["model"]["class_mix"]
        == registry.find("method", "dacs").values["model"]["class_mix"]
    )
    assert "teacher" not in resolve("source-only", methods={"dacs": {"teacher": {}}})["model"]


def test_the_result_is_plain_json_and_the_fragments_stay_as_they_were() -> None:
    before = copy.deepcopy(dict(registry.find("protocol", "minidrive").values))
    config = resolve("dacs")
    assert json.loads(json.dumps(config)) == config
    assert "/" not in json.dumps({k: v for k, v in config.items() if "loader" not in k})
    config["optim_wrapper"]["optimizer"]["lr"] = 0
    assert registry.find("protocol", "minidrive").values == before


def test_a_fragment_without_a_needed_name_is_named() -> None:
    protocol = registry.find("protocol", "minidrive")
    values = {key: value for key, value in protocol.values.items() if key != "clip_grad"}
    shift = registry.find("shift", "minidrive")
    with pytest.raises(FragmentError, match=r"minidrive\.py: a protocol must define 'clip_grad'"):
        compose.resolve(
            dataclasses.replace(protocol, values=values),
            registry.find("method", "dacs"),
            registry.find("encoder", "resnet-mini"),
            shift,
            plan.domain_fragments(shift),
            seed=0,
        )


@pytest.mark.parametrize(
    ("iterations", "warmup", "power"), [(600, 50, 0.9), (200, 30, 1.0), (40_000, 1500, 1.0)]
)
def test_the_schedule_is_warm_up_times_polynomial_decay(
    iterations: int, warmup: int, power: float
) -> None:
    import torch
    from mmengine.optim.scheduler import LinearLR, PolyLR

    config = resolve(
        "source-only",
        iterations=iterations,
        schedule={"warmup_iterations": warmup, "warmup_factor": 1e-6, "power": power},
    )
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    kinds = {"LinearLR": LinearLR, "PolyLR": PolyLR}
    schedulers = [
        kinds[each["type"]](optimizer, **{k: v for k, v in each.items() if k != "type"})
        for each in config["param_scheduler"]
    ]
    for t in range(iterations):
        expected = 2.0 * (1 - t / iterations) ** power
        if t < warmup:
            expected *= 1 - (1 - t / warmup) * (1 - 1e-6)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-9, abs=1e-12)
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()


def test_identity_follows_what_the_numbers_depend_on() -> None:
    reference = identify(resolve("dacs"))
    assert identify(resolve("dacs")) == reference
    for changes in ({"iterations": 5}, {"batch_size": 2}, {"class_weight": [1.0] * 19}):
        changed = identify(resolve("dacs", **changes))
        assert changed.id != reference.id
        assert changed.config != reference.config
        assert changed.data == reference.data
    others = {
        identify(resolve(m, e)).id
        for m in ("dacs", "oracle")
        for e in ("resnet-mini", "eva02-mini")
    }
    assert len(others) == 4


def test_identity_follows_the_world_and_its_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark import identity

    config = resolve("dacs")
    reference = identify(config)
    other = copy.deepcopy(config)
    other["domains"]["minidrive-night"]["world"]["gap"] = 0.1
    assert identify(other).data != reference.data
    assert identify(other).config == reference.config
    monkeypatch.setattr(identity, "_generator_version", lambda: 10**6)
    assert identify(config).data != reference.data


def test_all_domains_of_the_shift_live_in_one_world() -> None:
    worlds = [data["world"] for data in resolve("dacs")["domains"].values()]
    assert all(world == worlds[0] for world in worlds)


def test_a_discriminator_gets_its_own_optimizer_and_schedule_beside_the_students() -> None:
    config, plain = resolve("adaptsegnet"), resolve("source-only")
    wrapper = config["optim_wrapper"]
    assert wrapper["constructor"] == "PartOptimWrapperConstructor"
    assert wrapper["student"] == plain["optim_wrapper"]
    declared = registry.find("method", "adaptsegnet").values["optimizers"]["discriminator"]
    assert declared["optimizer"] == {"type": "Adam", "lr": 1e-4, "betas": (0.9, 0.99)}
    assert wrapper["discriminator"]["optimizer"]["type"] == "Adam"
    assert "clip_grad" not in wrapper["discriminator"]
    assert config["param_scheduler"]["student"] == plain["param_scheduler"]
    assert config["param_scheduler"]["discriminator"][-1] == {
        **plain["param_scheduler"][-1],
        "power": 0.9,
    }


def test_the_protocol_may_change_a_parts_optimizer() -> None:
    changes = {"advent": {"discriminator": {"optimizer": {"lr": 0.5}}}}
    changed = resolve("advent", optimizers=changes)["optim_wrapper"]["discriminator"]
    assert changed["optimizer"] == {"type": "Adam", "lr": 0.5, "betas": [0.9, 0.99]}
    kept = resolve("adaptsegnet", optimizers=changes)["optim_wrapper"]["discriminator"]
    assert kept["optimizer"]["lr"] != 0.5


def test_adaptsegnet_and_advent_differ_in_their_type_alone() -> None:
    first, second = resolve("adaptsegnet"), resolve("advent")
    assert (first["model"].pop("type"), second["model"].pop("type")) == ("AdaptSegNet", "ADVENT")
    assert first == second
    fragments = [registry.find("method", name).values for name in ("adaptsegnet", "advent")]
    models = [{**each["model"], "type": None} for each in fragments]
    assert models[0] == models[1]
    assert fragments[0]["optimizers"] == fragments[1]["optimizers"]


def test_norm_stats_is_source_only_with_target_images() -> None:
    control, plain = resolve("norm-stats"), resolve("source-only")
    pair = control["train_dataloader"]["dataset"]
    assert pair["target"]["domain"] == "minidrive-real"
    assert not reads_labels(pair["target"])
    pair["target"] = None
    for config in (control, plain):
        del config["model"]["type"]
    del plain["model"]["strong_augmentation"]
    assert control == plain


@pytest.mark.parametrize("asks", ["protocol", "encoder"])
def test_mixed_precision_is_asked_for_by_protocol_or_encoder(
    asks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {}
    if asks == "protocol":
        changes = {"precision": "bf16"}
    else:
        encoder = registry.find("encoder", "resnet-mini")
        asking = dataclasses.replace(encoder, values={**encoder.values, "precision": "bf16"})
        find = registry.find
        monkeypatch.setattr(
            registry, "find", lambda kind, name: asking if kind == "encoder" else find(kind, name)
        )
    config = resolve("advent", **changes)
    assert config["optim_wrapper"]["student"]["type"] == "AutocastOptimWrapper"
    assert config["optim_wrapper"]["discriminator"]["type"] == "OptimWrapper"


def test_an_unknown_precision_is_answered_with_the_known_ones() -> None:
    with pytest.raises(FragmentError, match="precision is 'fp16', expected 'fp32' or 'bf16'"):
        resolve("dacs", precision="fp16")
    assert resolve("dacs", precision="fp32") == resolve("dacs")

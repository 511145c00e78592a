"""Evaluation presets: what they resolve to, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from benchmark import compose, domains, evaluation_rules, plan, registry
from benchmark.errors import FragmentError, UsageError
from benchmark.registry import Fragment


def protocol(evaluation: Any) -> Fragment:
    found = registry.find("protocol", "daformer")
    return dataclasses.replace(found, values={**found.values, "evaluation": evaluation})


def rules(**values: Any) -> evaluation_rules.EvaluationRules:
    return evaluation_rules.of_protocol(protocol(values))


def steps(preset: str, domain: str) -> list[tuple[str, Any]]:
    """Transforms of a domain's test images, each with the size that it asks for."""
    found = domains.scored(
        registry.find("domain", domain), evaluation_rules.of_protocol(protocol(preset))
    )
    return [
        (each["type"], each.get("bound") or each.get("short_side")) for each in found["pipeline"]
    ]


FULL, HALF = (2048, 1024), (1024, 512)
ADVERSE, HALF_ADVERSE, BDD = (1920, 1080), (960, 540), (1280, 720)


@pytest.mark.parametrize(
    ("preset", "cityscapes", "bdd100k", "mapillary", "acdc"),
    [
        ("daformer", HALF, HALF, HALF, HALF_ADVERSE),
        ("hrda", FULL, FULL, FULL, ADVERSE),
        ("rein", HALF, BDD, HALF, HALF_ADVERSE),
        ("vltseg", HALF, HALF, HALF, HALF_ADVERSE),
        ("vltseg-real", FULL, FULL, FULL, ADVERSE),
        ("tqdm", FULL, BDD, FULL, ADVERSE),
        ("vfmuda", 1024, 1024, 1024, 1024),
    ],
)
def test_presets_scale_images_as_published(
    preset: str, cityscapes: Any, bdd100k: Any, mapillary: Any, acdc: Any
) -> None:
    names = ("cityscapes", "bdd100k", "mapillary", "acdc")
    for domain, size in zip(names, (cityscapes, bdd100k, mapillary, acdc), strict=True):
        assert ("ScaleImage", size) in steps(preset, domain)


@pytest.mark.parametrize(
    ("preset", "window"),
    [
        ("daformer", None),
        ("hrda", ((1024, 1024), (512, 512))),
        ("rein", ((512, 512), (341, 341))),
        ("vltseg", ((512, 512), (426, 426))),
        ("tqdm", ((512, 512), (341, 341))),
        ("vfmuda", ((1024, 1024), (512, 512))),
    ],
)
def test_presets_cut_windows_as_published(preset: str, window: Any) -> None:
    found = evaluation_rules.of_protocol(protocol(preset))
    assert found.inference.get("crop_size") == (window and window[0])
    assert found.inference.get("stride") == (window and window[1])
    assert found.inference.get("average") == ("probabilities" if preset == "vfmuda" else None)
    assert found.name == preset


def test_labels_stay_native_but_in_two_presets() -> None:
    order = [name for name, _ in steps("rein", "mapillary")]
    assert order == [
        *("ReadImage", "ReadMappedLabel", "HalveImageAndLabel", "ScaleImage", "PackSegInputs"),
    ]
    order = [name for name, _ in steps("vfmuda", "cityscapes")]
    assert order[2:4] == ["ScaleImage", "LabelAtImageSize"]
    presets = registry.names("evaluation")
    sizes = ("HalveImageAndLabel", "LabelAtImageSize")
    changed = {
        (preset, domain)
        for preset in presets
        for domain in ("cityscapes", "mapillary", "acdc")
        for name, _ in steps(preset, domain)
        if name in sizes
    }
    vfm = {("vfmuda", domain) for domain in ("cityscapes", "mapillary", "acdc")}
    assert changed == {("rein", "mapillary"), *vfm}


def test_a_domain_may_have_a_scale_of_its_own_and_native_size_is_none() -> None:
    found = rules(mode="whole", scale=HALF, scales={"acdc": ADVERSE, "acdc-fog": None})
    assert found.scale_of("acdc-night", "acdc") == {"bound": ADVERSE}
    assert found.scale_of("acdc-fog", "acdc") is None
    assert found.scale_of("bdd100k", "bdd100k") == {"bound": HALF}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "mode is None, expected one of whole, slide"),
        ({"mode": "tiles"}, "mode is 'tiles', expected one of whole, slide"),
        ({"mode": "slide", "stride": (2, 2)}, r"crop_size is None, expected \(height, width\)"),
        (
            {"mode": "slide", "crop_size": (4, 4), "stride": (4, 5)},
            "stride .* pixels would be left",
        ),
        ({"mode": "slide", "crop_size": (4, 4), "stride": 4}, "stride is 4, expected"),
        ({"mode": "whole", "stride": (4, 4)}, "stride .* mode is 'whole'"),
        ({"mode": "whole", "batch_size": 0}, "batch_size is 0, expected a number of at least 1"),
        ({"mode": "whole", "batch_size": True}, "batch_size is True"),
        ({"mode": "whole", "scale": (512, 1024)}, "the longest side first"),
        ({"mode": "whole", "scale": {"longest": 3}}, r"expected dict\(short_side=PIXELS\)"),
        ({"mode": "whole", "scales": {"cityscape": HALF}}, "closest: 'cityscapes'"),
        ({"mode": "whole", "ground_truth": "double"}, "ground_truth is 'double', expected one of"),
        ({"mode": "whole", "ground_truths": {"acdc": 1}}, r"ground_truths\['acdc'\] is 1"),
        ({"mode": "whole", "mean": "macro"}, "mean is 'macro', expected one of pooled"),
        ({"mode": "whole", "keep_ratio": 1}, "keep_ratio is 1, expected True or False"),
        ({"mode": "whole", "strid": (1, 1)}, "unknown key 'strid'; closest: 'stride'"),
    ],
)
def test_wrong_values_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(FragmentError, match=message) as raised:
        rules(**values)
    assert "configs/protocols/daformer.py: evaluation" in str(raised.value)


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown evaluation 'hdra'; closest: 'hrda'"):
        evaluation_rules.of_protocol(protocol("hdra"))
    with pytest.raises(FragmentError, match="expected the name of an evaluation or a dict"):
        evaluation_rules.of_protocol(protocol(3))


@pytest.mark.parametrize("preset", ["daformer", "hrda", "rein", "vfmuda"])
@pytest.mark.parametrize("shift", ["gta5-cityscapes", "synthia-cityscapes", "cityscapes-acdc"])
def test_a_resolved_cell_is_plain_json(preset: str, shift: str) -> None:
    found = registry.find("shift", shift)
    config = compose.resolve(
        protocol(preset),
        registry.find("method", "dacs"),
        registry.find("encoder", "mit-b5"),
        found,
        plan.domain_fragments(found),
        seed=0,
    )
    assert json.loads(json.dumps(config)) == config
    scoring = config.get("scoring", {})
    assert scoring.get("mean") == ("per-condition" if preset == "rein" else None)
    if shift == "synthia-cityscapes":
        assert len(scoring["classes"]) == 16
        assert set(range(19)) - set(scoring["classes"]) == {9, 14, 16}
        assert set(scoring["classes"]) - set(scoring["also"]["13 classes"]) == {3, 4, 5}
    else:
        assert "classes" not in scoring

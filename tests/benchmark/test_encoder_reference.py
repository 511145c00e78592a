from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark import registry
from benchmark import suite as suites
from benchmark.encoder_reference import parse
from benchmark.errors import SuiteError, UsageError


@pytest.mark.parametrize(
    ("text", "name", "origin"),
    [
        (
            "open_clip:ViT-B-32/laion2b_s34b_b79k",
            "open_clip.ViT-B-32.laion2b_s34b_b79k",
            "open_clip:ViT-B-32/laion2b_s34b_b79k",
        ),
        (
            "timm:vit_small_patch14_dinov2.lvd142m",
            "timm.vit_small_patch14_dinov2.lvd142m",
            "timm:vit_small_patch14_dinov2.lvd142m",
        ),
        ("timm:test_vit.random", "timm.test_vit.random", "timm:test_vit.random"),
    ],
)
def test_a_reference_has_one_name_and_leads_back(text: str, name: str, origin: str) -> None:
    found = parse(text)
    assert found is not None
    assert (found.name, found.origin) == (name, origin)
    assert parse(found.name) == found
    assert registry.NAME.fullmatch(found.name), "it becomes part of file names"


@given(
    library=st.just("timm"),
    model=st.from_regex(r"[a-z][a-z0-9]{0,8}(_[a-z0-9]{1,8}){0,4}", fullmatch=True),
    tag=st.from_regex(r"[a-z0-9]{1,8}(_[a-z0-9]{1,6}){0,3}", fullmatch=True),
)
def test_names_and_references_are_the_same_set(library: str, model: str, tag: str) -> None:
    by_reference, by_name = parse(f"{library}:{model}.{tag}"), parse(f"{library}.{model}.{tag}")
    assert by_reference == by_name
    assert by_reference is not None
    assert (by_reference.model, by_reference.tag) == (model, tag)


@pytest.mark.parametrize("text", ["resnet-mini", "eva02-clip-l14", "timmy", "open-clip.x.y"])
def test_plain_names_are_no_references(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("text", ["timm:vit_tiny", "open_clip:ViT-B-32", "timm:", "timm:a/b/c.d"])
def test_half_a_reference_is_explained(text: str) -> None:
    with pytest.raises(UsageError, match="expected the form of open_clip:ViT-B-32/laion2b"):
        parse(text)


def test_unknown_open_clip_model_gets_the_closest() -> None:
    with pytest.raises(UsageError, match="closest: 'ViT-B-32'"):
        parse("open_clip:ViT-B-31/openai")


def test_random_means_no_weights_and_a_tag_means_its_weights() -> None:
    plain = registry.find("encoder", "timm:test_vit.random")
    tagged = registry.find("encoder", "timm:test_vit.r160_in1k")
    assert plain.values["backbone"]["pretrained"] is None
    assert tagged.values["backbone"]["pretrained"] == "r160_in1k"
    assert plain.card["title"] == "test_vit (random)"


def test_suites_name_towers_and_find_them_twice(configs: Any) -> None:
    path = configs.suite("encoders: [small, 'timm:test_vit.random']")
    suite = suites.load(str(path))
    assert suite.encoders == ("small", "timm.test_vit.random")
    assert suite.cells()[1].stem == "good__timm.test_vit.random__there__seed0"
    configs.suite("encoders: ['timm:test_vit.random', timm.test_vit.random]")
    with pytest.raises(SuiteError, match="given twice"):
        suites.load(str(path))


def test_encoders_of_the_command_line_replace_those_of_the_suite(configs: Any) -> None:
    suite = suites.load(str(configs.suite("encoders: [small]")))
    changed = suite.with_overrides(encoders=["large", "timm:test_vit.random", "large"])
    assert changed.encoders == ("large", "timm.test_vit.random")
    assert suite.with_overrides(encoders=[]).encoders == ("small",)
    cut = suite.with_overrides(None, {"encoder": ["large"]}, ["small", "large"])
    assert cut.encoders == ("large",)
    with pytest.raises(UsageError, match=re.escape("unknown encoder 'tiny'")):
        suite.with_overrides(encoders=["tiny"])

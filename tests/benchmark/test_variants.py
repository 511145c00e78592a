"""Variants: what is taken over, what is refused, and that equal constants make equal cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmark import cli, compose, registry
from benchmark.errors import FragmentError
from benchmark.identity import digest
from benchmark.plan import domain_fragments
from benchmark.variants import in_protocol, weights_name

BASE = """
model = dict(type="M", part=dict(level=-1, weight=0.5), other=dict(a=1), margin=None)
rare_class_sampling = dict(temperature=0.01, min_pixels=3000)
optimizers = dict(critic=dict(power=0.9))
"""


@pytest.fixture
def made(configs: Any) -> Any:
    """A method ``base``, and a function that writes variants of it."""
    configs.fragment("method", "base", BASE)

    def variant(text: str, name: str = "other", base: str = "base") -> registry.Fragment:
        configs.fragment("method", name, f"based_on = {base!r}\n{text}\n")
        return registry.find("method", name)

    return variant


def test_a_variant_is_its_base_but_for_what_it_says(made: Any) -> None:
    found = made("model = dict(part=dict(weight=0.1))")
    assert found.values["model"] == {
        "type": "M", "part": {"level": -1, "weight": 0.1}, "other": {"a": 1}, "margin": None,
    }  # fmt: skip
    assert found.values["optimizers"] == {"critic": {"power": 0.9}}
    assert found.base is registry.find("method", "base")
    assert {"based_on", "adds"}.isdisjoint(found.values)
    assert registry.find("method", "base").values["model"]["part"]["weight"] == 0.5


def test_show_names_the_base(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "eva02-clip-l14-half"]) == 0
    assert "based_on: eva02-clip-l14\n" in capsys.readouterr().out


def test_a_card_adds_to_that_of_the_base(configs: Any) -> None:
    path = configs.root / "methods" / "base.py"
    path.write_text("card = dict(title='B', summary='b', role='uda', year=1)\nmodel = dict(x=1)\n")
    configs.fragment("method", "other", "based_on = 'base'\ncard.update(note='more')\n")
    card = registry.find("method", "other").card
    assert card == {
        "title": "other", "summary": "The other fragment.", "role": "uda", "year": 1,
        "note": "more",
    }  # fmt: skip


def test_a_chain_of_variants(made: Any) -> None:
    made("model = dict(part=dict(weight=0.1))", "second")
    found = made("model = dict(part=dict(level=2), other=None)", "third", "second")
    assert found.values["model"]["part"] == {"level": 2, "weight": 0.1}
    assert found.values["model"]["other"] is None


def test_a_loop_is_refused(made: Any, configs: Any) -> None:
    configs.fragment("method", "left", "based_on = 'right'\n")
    configs.fragment("method", "right", "based_on = 'left'\n")
    with pytest.raises(FragmentError, match=r"methods/right.py: .*: left -> right -> left"):
        registry.find("method", "left")
    configs.fragment("method", "own", "based_on = 'own'\n")
    with pytest.raises(FragmentError, match=r"methods/own.py: .*: own -> own"):
        registry.find("method", "own")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modell = dict()", r"methods/other.py: unknown key 'modell'; closest: 'model'"),
        (
            "model = dict(part=dict(wait=1))",
            r"methods/other.py: unknown key 'model.part.wait'; closest: 'model.part.weight'; valid:"
            r" model.part.level, model.part.weight; .* method base .* must be listed in adds",
        ),
        ("adds = 'model.x'", r"methods/other.py: adds must be a list of keys"),
        ("adds = ('model.part.new',)", r"adds lists 'model.part.new', which is not changed here"),
        (
            "model = dict(part=dict(level=1))\nadds = ('model.part.level',)",
            r"adds lists 'model.part.level', .* is there in method base already",
        ),
        ("based_on = 'bas'", r"methods/other.py: based_on: unknown method 'bas'; closest: 'bas"),
        ("based_on = 3", r"methods/other.py: based_on must be the name of a method, found 3"),
    ],
)
def test_what_a_variant_may_not_say(made: Any, text: str, message: str) -> None:
    with pytest.raises(FragmentError, match=message):
        made(text)


def test_an_option_that_the_base_leaves_at_its_default_is_listed(made: Any) -> None:
    found = made("model = dict(part=dict(norm=True))\nadds = ['model.part.norm']")
    assert found.values["model"]["part"] == {"level": -1, "weight": 0.5, "norm": True}


def protocol(configs: Any, methods: dict[str, Any], **more: Any) -> registry.Fragment:
    lines = [f"methods = {methods!r}", *(f"{key} = {value!r}" for key, value in more.items())]
    configs.fragment("protocol", "world", "\n".join(lines) + "\n")
    return registry.find("protocol", "world")


def test_a_protocol_changes_the_base_and_the_variant_has_the_last_word(
    made: Any, configs: Any
) -> None:
    found = made("model = dict(part=dict(weight=0.1))")
    world = protocol(
        configs,
        {"base": {"part": {"weight": 7.0, "level": 3}, "rare_class_sampling": {"min_pixels": 1}}},
        optimizers={"base": {"critic": {"power": 0.5}}},
    )
    values = in_protocol(found, world)
    assert values["model"]["part"] == {"level": 3, "weight": 0.1}
    assert values["rare_class_sampling"] == {"temperature": 0.01, "min_pixels": 1}
    assert values["optimizers"] == {"critic": {"power": 0.5}}
    named = protocol(configs, {"other": {"part": {"weight": 9.0}}})
    assert in_protocol(found, named)["model"]["part"] == {"level": -1, "weight": 9.0}


def test_a_part_that_the_protocol_leaves_out_cannot_be_changed(made: Any, configs: Any) -> None:
    found = made("model = dict(part=dict(weight=0.1))")
    world = protocol(configs, {"base": {"part": None, "rare_class_sampling": None}})
    with pytest.raises(FragmentError, match=r"other.py: changes model.part, which protocol world"):
        in_protocol(found, world)
    plain = in_protocol(made("model = dict(margin=dict(top=1))", "margins"), world)
    assert (plain["model"]["part"], plain["rare_class_sampling"]) == (None, None)
    assert plain["model"]["margin"] == {"top": 1}


def test_variants_share_a_weight_file_unless_they_name_another(configs: Any) -> None:
    text = "backbone = dict(type='T', model='a', pretrained='tag', frozen=0)\n"
    configs.fragment("encoder", "whole", text)
    configs.fragment("encoder", "still", "based_on = 'whole'\nbackbone = dict(frozen=3)\n")
    configs.fragment("encoder", "tuned", "based_on = 'still'\nbackbone = dict(pretrained='new')\n")
    names = {name: weights_name(registry.find("encoder", name)) for name in ("still", "tuned")}
    assert names == {"still": "whole", "tuned": "tuned"}


def test_equal_constants_make_equal_configurations(tmp_path: Path) -> None:
    shift = registry.find("shift", "gta5-cityscapes")

    def config(method: str, encoder: str) -> str:
        found = compose.resolve(
            registry.find("protocol", "daformer"),
            registry.find("method", method),
            registry.find("encoder", encoder),
            shift,
            domain_fragments(shift),
            seed=0,
        )
        return digest(found)

    assert config("daformer-fd-own", "mit-b5") == config("daformer", "mit-b5")
    assert config("daformer-fd-off", "eva02-clip-l14") == config("daformer", "eva02-clip-l14")
    assert config("daformer-fd-own", "eva02-clip-l14") != config("daformer", "eva02-clip-l14")

"""Every check passes on what is sound and fails, with its reason, on what breaks its rule."""

from __future__ import annotations

import dataclasses

import pytest

from mmseg_ext.conformance import (
    card,
    firewall,
    gradients,
    parameter_groups,
    round_trip,
    steps,
    strides,
)
from mmseg_ext.conformance.verdict import DoesNotApply, Failed

SOUND = ["source-only", "dacs", "adaptsegnet", "mic-hrda"]
IN_PROCESS = [
    *(card.card, steps.builds, steps.finite_terms, steps.predicts, gradients.gradients),
    *(parameter_groups.parameter_groups, round_trip.round_trip),
]


def failure(check, job):
    """The sentence with which a check fails."""
    with pytest.raises(Failed) as caught:
        check(job)
    return str(caught.value)


@pytest.mark.parametrize("method", SOUND)
def test_sound_methods_pass(job, method):
    made = job(method)
    for check in IN_PROCESS:
        assert check(made), check.__name__


def test_a_sound_encoder_passes(job):
    made = job("dacs", "encoder", encoder="RightPyramid")
    for check in (*IN_PROCESS, strides.strides):
        assert check(made), check.__name__
    assert strides.strides(made).startswith("4, 8, 16, 32 at ")


def test_what_does_not_apply_says_why(job):
    for check, made, reason in (
        (firewall.target_labels, job("source-only"), "no target images"),
        (firewall.target_labels, job("dacs", "encoder"), "images only"),
        (strides.strides, job(), "any encoder"),
    ):
        with pytest.raises(DoesNotApply, match=reason):
            check(made)


@pytest.mark.parametrize("method", ["dacs", "minent"])
def test_target_labels_that_are_refused_or_ignored(job, method):
    assert firewall.target_labels(job(method)) == "samples with target labels are refused"


def test_a_method_that_reads_target_labels(job):
    said = failure(firewall.target_labels, job("minent", model={"type": "ReadsTargetLabels"}))
    assert "target labels filled with 3 change step 1.loss" in said


def test_a_method_that_trains_its_teacher(job):
    said = failure(gradients.gradients, job("dacs", model={"type": "TrainsItsTeacher"}))
    assert said.startswith("the teacher teacher would be trained: teacher.network.")


def test_a_teacher_is_known_by_what_it_is_not_by_its_name(job):
    said = failure(gradients.gradients, job(model={"type": "TrainsACopy"}))
    assert said.startswith("the teacher memory would be trained")
    built = gradients.building.build(job("daformer"))
    found = [name for name, _ in gradients.copies_of_the_student(built.method)]
    assert found == ["teacher", "feature_distance.teacher"]


def test_frozen_parts_and_parts_that_nothing_trains(job):
    said = failure(gradients.gradients, job(model={"type": "TouchesFrozenParts"}))
    assert said == "frozen student.backbone.stem.0.0.weight changed"
    said = failure(gradients.gradients, job(model={"type": "IgnoresAPart"}))
    assert said.startswith("no gradient reaches projection.weight, projection.bias; use")
    made = job("dacs", "encoder", encoder="HasAnUnusedHead")
    assert "no gradient reaches student.backbone.classifier" in failure(gradients.gradients, made)


def test_terms_that_are_no_numbers(job):
    said = failure(steps.finite_terms, job(model={"class_weight": [float("nan")] * 19}))
    assert said.startswith("in step 1: loss term 'source' became nan")


def test_a_mean_over_nothing(job):
    said = failure(steps.finite_terms, job(model={"type": "NotFinite"}))
    assert said.startswith("in a step without a labelled pixel: loss term 'mean' became nan")


def test_hidden_state(job):
    said = failure(round_trip.round_trip, job(model={"type": "RemembersInSecret"}))
    assert "the next step differs in the log.loss" in said
    assert "register_buffer" in said


def test_predictions_at_random(job):
    said = failure(steps.predicts, job(model={"type": "PredictsAtRandom"}))
    assert said.startswith("two predictions of one image differ")


def test_what_is_no_method_or_knows_no_statistics(job):
    assert "NoMethod is no UDAMethod" in failure(steps.builds, job(model={"type": "NoMethod"}))
    made = job("dacs", "encoder", encoder="RightPyramid")
    preprocessor = {
        key: value
        for key, value in made.model["data_preprocessor"].items()
        if key not in ("mean", "std")
    }
    made = dataclasses.replace(made, model={**made.model, "data_preprocessor": preprocessor})
    assert "no image statistics" in failure(steps.builds, made)


@pytest.mark.parametrize(
    ("encoder", "reason"),
    [
        ("RoundsDown", "an image of 65x97 gives a map of 16x24 at stride 4, expected 17x25"),
        ("TooFine", "the maps have strides 2, 4, 8, 16"),
        ("ResNetMini", "the maps have 48, 96, 128, 128 channels, the fragment says 8, 8, 8, 8"),
    ],
)
def test_encoders_with_wrong_maps(job, encoder, reason):
    assert reason in failure(strides.strides, job("dacs", "encoder", encoder=encoder))


def test_groups_of_the_wrong_parameters(job):
    check = parameter_groups.parameter_groups
    made = job()
    wrapper = {**made.optim_wrapper, "constructor": "DecoderAlone"}
    said = failure(check, dataclasses.replace(made, optim_wrapper=wrapper))
    assert "trainable parameter student.backbone." in said
    assert "is in 0 groups" in said
    default = {**made.optim_wrapper, "constructor": "DefaultOptimWrapperConstructor"}
    said = failure(check, dataclasses.replace(made, optim_wrapper=default))
    assert "backbone.stem.0.0.weight (1 of the decoder's rate)" in said
    said = failure(check, job("dacs", "encoder", encoder="DecoyTower"))
    assert "what is called tower of DecoyTower has no parameters" in said


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("method", {"title": ""}, "lacks title"),
        ("method", {"title": "x" * 41}, "longer than 40"),
        ("method", {"role": "hero"}, "role is 'hero'"),
        ("method", {"paper": None}, "lacks paper"),
        ("method", {"target_images": None}, "target_images is None"),
        ("method", {"target_images": False}, "it would get no target images"),
        ("method", {"target_labels": True}, "only an oracle"),
        ("encoder", {"pretraining": None}, "lacks pretraining"),
    ],
)
def test_cards_that_lack_something(job, kind, change, reason):
    made = job("dacs", kind)
    assert card.card(made)
    changed = dataclasses.replace(made, card={**made.card, **change})
    assert reason in failure(card.card, changed)

"""The discriminator's geometry, and both players' losses against plain computations."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch.nn import functional

from mmseg_ext.parts.entropy import self_information
from mmseg_ext.parts.output_adversary import AdversaryError, Discriminator, OutputAdversary


def small(classes=4, seed=0):
    torch.manual_seed(seed)
    return Discriminator(classes, ndf=4, layers=3)


def maps(classes=4, size=(16, 24), seed=1, batch=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, classes, *size, generator=generator) * 3


def mean_loss(scores, label, kind):
    """Mean over all scores, one by one in double precision."""
    losses = []
    for score in scores.flatten().double().tolist():
        if kind == "ls":
            losses.append((score - label) ** 2)
        else:
            chance = 1 / (1 + math.exp(-score))
            losses.append(-math.log(chance if label == 1 else 1 - chance))
    return sum(losses) / len(losses)


def test_the_papers_discriminator_has_2_781_121_parameters_for_19_classes():
    network = Discriminator(19)
    assert sum(p.numel() for p in network.parameters()) == 2_781_121
    shapes = [tuple(p.shape) for p in network.parameters() if p.dim() == 4]
    assert shapes == [
        (64, 19, 4, 4),
        (128, 64, 4, 4),
        (256, 128, 4, 4),
        (512, 256, 4, 4),
        (1, 512, 4, 4),
    ]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((512, 512), (16, 16)),
        ((720, 1280), (22, 40)),
        ((512, 1024), (16, 32)),
        ((32, 33), (1, 1)),
    ],
)
def test_it_halves_its_input_five_times(size, expected):
    network = Discriminator(1, ndf=1)
    assert network(torch.zeros(2, 1, *size)).shape == (2, 1, *expected)


@pytest.mark.parametrize(("layers", "field"), [(5, 94), (3, 22)])
def test_its_receptive_field(layers, field):
    network = Discriminator(2, ndf=2, layers=layers)
    image = torch.randn(1, 2, 256, 256, requires_grad=True)
    scores = network(image)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    seen = image.grad.abs().sum((0, 1)) > 0
    rows, columns = seen.any(1).nonzero().flatten(), seen.any(0).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 == field
    assert int(columns.max() - columns.min()) + 1 == field


def test_scores_are_leaky_convolutions_without_norm_or_sigmoid():
    network = small()
    x = maps()
    weights = list(network.parameters())
    expected = x
    for index in range(3):
        expected = functional.conv2d(
            expected, weights[2 * index], weights[2 * index + 1], stride=2, padding=1
        )
        if index < 2:
            expected = torch.where(expected > 0, expected, 0.2 * expected)
    assert torch.allclose(network(x), expected, atol=1e-6)


def test_building_it_leaves_the_random_stream_where_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = Discriminator(3, ndf=2, layers=2)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(6)
    second = Discriminator(3, ndf=2, layers=2)
    assert not torch.equal(first.blocks[0].weight, second.blocks[0].weight)


@pytest.mark.parametrize("size", [(31, 64), (64, 31)])
def test_a_map_that_is_too_small_is_named_with_what_is_needed(size):
    with pytest.raises(AdversaryError, match=f"{size[0]}x{size[1]} pixels.*at least 32"):
        Discriminator(3, ndf=1)(torch.zeros(1, 3, *size))
    assert Discriminator(3, ndf=1, layers=4)(torch.zeros(1, 3, *size)).numel() > 0


@pytest.mark.parametrize("changes", [{"ndf": 0}, {"layers": 1}, {"in_channels": 0}])
def test_an_impossible_discriminator_is_refused(changes):
    with pytest.raises(AdversaryError, match=next(iter(changes))):
        Discriminator(**{"in_channels": 3, **changes})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"adapter": "logits"}, "adapter.*'logits'.*softmax, self_information"),
        ({"gan_loss": "hinge"}, "gan_loss.*'hinge'.*bce, ls"),
        ({"weight": -1.0}, "weight"),
        ({"scale": 0.0}, "scale"),
    ],
)
def test_an_unknown_option_is_answered_with_the_known_ones(options, message):
    with pytest.raises(AdversaryError, match=message):
        OutputAdversary(**options)


def seen(adapter, logits):
    return logits.softmax(1) if adapter == "softmax" else self_information(logits)


@pytest.mark.parametrize("adapter", ["softmax", "self_information"])
@pytest.mark.parametrize("gan_loss", ["bce", "ls"])
def test_losses_follow_their_definition(adapter, gan_loss):
    network, source, target = small(), maps(seed=1), maps(seed=2, batch=3)
    adversary = OutputAdversary(adapter, gan_loss, weight=0.25)
    with torch.no_grad():
        source_scores, target_scores = (network(seen(adapter, each)) for each in (source, target))
    generator = adversary.generator_loss(network, target)
    assert generator.item() == pytest.approx(0.25 * mean_loss(target_scores, 0, gan_loss), rel=1e-5)
    verdict = adversary.discriminator_loss(network, source, target)
    expected = mean_loss(source_scores, 0, gan_loss) + mean_loss(target_scores, 1, gan_loss)
    assert verdict.loss.item() == pytest.approx(expected / 2, rel=1e-5)
    fence = 0.0 if gan_loss == "bce" else 0.5
    right = [score < fence for score in source_scores.flatten().tolist()]
    right += [score >= fence for score in target_scores.flatten().tolist()]
    assert verdict.accuracy.item() == pytest.approx(sum(right) / len(right))


def test_the_generator_term_moves_the_logits_and_never_the_discriminator():
    network = small()
    logits = maps().requires_grad_()
    OutputAdversary(weight=1.0).generator_loss(network, logits).backward()
    assert logits.grad.abs().sum() > 0
    assert all(p.grad is None and p.requires_grad for p in network.parameters())

    # The student's gradient points to where the discriminator says "source".
    moved = (logits - 5.0 * logits.grad / logits.grad.norm()).detach()
    with torch.no_grad():
        assert network(moved.softmax(1)).mean() < network(logits.softmax(1)).mean()


def test_the_discriminator_term_moves_the_discriminator_and_never_the_logits():
    network = small()
    source, target = maps(seed=1).requires_grad_(), maps(seed=2).requires_grad_()
    OutputAdversary().discriminator_loss(network, source, target).loss.backward()
    assert source.grad is None
    assert target.grad is None
    assert all(p.grad is not None for p in network.parameters())


def test_a_parameter_that_was_frozen_stays_frozen():
    network = small()
    network.blocks[0].weight.requires_grad_(False)
    OutputAdversary().generator_loss(network, maps().requires_grad_())
    flags = [p.requires_grad for p in network.parameters()]
    assert flags == [False] + [True] * 5


def test_a_trained_discriminator_tells_two_kinds_of_maps_apart():
    network = small()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    adversary = OutputAdversary("self_information")
    sure, unsure = maps() * 5, maps(seed=3) / 5
    before = adversary.discriminator_loss(network, sure, unsure)
    for _ in range(30):
        optimiser.zero_grad()
        verdict = adversary.discriminator_loss(network, sure, unsure)
        verdict.loss.backward()
        optimiser.step()
    assert verdict.loss.item() < 0.1 < before.loss.item()
    assert verdict.accuracy.item() == 1.0


def test_scale_resizes_the_judged_logits():
    network, logits = small(), maps(size=(32, 48))
    half = functional.interpolate(logits, (16, 24), mode="bilinear", align_corners=False)
    whole = OutputAdversary(scale=1.0).generator_loss(network, half)
    assert torch.equal(OutputAdversary(scale=0.5).generator_loss(network, logits), whole)


@pytest.mark.parametrize("adapter", ["softmax", "self_information"])
def test_autocast_leaves_the_game_in_full_precision(adapter):
    network, adversary = small(), OutputAdversary(adapter)
    plain = adversary.discriminator_loss(network, maps(), maps(seed=2)).loss
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = adversary.discriminator_loss(network, maps(), maps(seed=2)).loss
        half = adversary.generator_loss(network, maps().bfloat16())
    assert torch.equal(plain, cast)
    assert half.dtype == torch.float32


def test_state_survives_a_round_trip():
    first, second = small(seed=0), small(seed=9)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert torch.equal(first(maps()), second(maps()))

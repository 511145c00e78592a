"""Colour operations against the standard library's conversions, probabilities by counting."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import pytest
import torch

from mmseg_ext.parts import strong_augmentation as sa

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


@pytest.fixture
def colours():
    torch.manual_seed(0)
    image = torch.rand(2, 3, 4, 5)
    image[0, :, 0, 0] = 0.0  # black, white and grey have no hue
    image[0, :, 0, 1] = 1.0
    image[0, :, 0, 2] = 0.4
    return image


def per_pixel(image, function):
    out = torch.empty_like(image)
    for b in range(image.shape[0]):
        for y in range(image.shape[2]):
            for x in range(image.shape[3]):
                out[b, :, y, x] = torch.tensor(function(b, *image[b, :, y, x].tolist()))
    return out


def test_brightness_adds_and_contrast_multiplies(colours):
    factors = torch.tensor([1.2, 0.7])
    bright = sa.adjust_brightness(colours, factors)
    assert torch.allclose(bright[0], (colours[0] + 0.2).clamp(0, 1))
    assert torch.allclose(bright[1], (colours[1] - 0.3).clamp(0, 1))
    contrast = sa.adjust_contrast(colours, factors)
    assert torch.allclose(contrast[0], (colours[0] * 1.2).clamp(0, 1))
    assert torch.allclose(contrast[1], colours[1] * 0.7)


def test_saturation_scales_hsv_saturation(colours):
    factors = [1.25, 0.6]

    def plain(b, red, green, blue):
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        return colorsys.hsv_to_rgb(hue, min(1.0, saturation * factors[b]), value)

    result = sa.adjust_saturation(colours, torch.tensor(factors))
    assert torch.allclose(result, per_pixel(colours, plain), atol=1e-6)


def test_hue_turns_the_colour_circle(colours):
    turns = [0.2, -0.17]

    def plain(b, red, green, blue):
        hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        return colorsys.hsv_to_rgb((hue + turns[b]) % 1.0, saturation, value)

    result = sa.adjust_hue(colours, torch.tensor(turns))
    assert torch.allclose(result, per_pixel(colours, plain), atol=1e-6)


@pytest.mark.parametrize(
    ("length", "size"), [(64, 7), (128, 13), (256, 25), (512, 51), (768, 77), (1024, 103)]
)
def test_kernel_sizes(length, size):
    assert sa.blur_kernel_size(length) == size


def test_blur_is_a_normalised_gaussian_with_reflected_borders():
    torch.manual_seed(2)
    image = torch.rand(2, 3, 64, 128)
    sigmas = torch.tensor([0.4, 1.1])
    result = sa.gaussian_blur(image, sigmas)
    for b, sigma in enumerate(sigmas.tolist()):
        kernels = []
        for length in (64, 128):
            half = sa.blur_kernel_size(length) // 2
            weights = np.array([math.exp(-(i**2) / (2 * sigma**2)) for i in range(-half, half + 1)])
            kernels.append((half, weights / weights.sum()))
        (half_y, ky), (half_x, kx) = kernels
        padded = np.pad(image[b, 1].numpy(), ((half_y, half_y), (half_x, half_x)), mode="reflect")
        for y, x in [(0, 0), (5, 127), (63, 64), (30, 60)]:
            window = padded[y : y + 2 * half_y + 1, x : x + 2 * half_x + 1]
            assert float(result[b, 1, y, x]) == pytest.approx(float(ky @ window @ kx), abs=1e-5)


def test_application_probabilities_are_drawn_once_a_batch():
    torch.manual_seed(0)
    augment = sa.StrongAugmentation(MEAN, STD)
    image = torch.randn(3, 3, 32, 32)
    smooth = torch.zeros(3, 3, 32, 32)  # constant: blur leaves it, so a change means jitter
    jittered = blurred = 0
    for _ in range(600):
        state = torch.get_rng_state()
        jittered += not torch.allclose(augment(smooth), smooth, atol=1e-5)
        torch.set_rng_state(state)
        coin_jitter, coin_blur = torch.rand(2).tolist()
        blurred += coin_blur < 0.5
        if coin_jitter >= 0.8 and coin_blur >= 0.5:
            torch.set_rng_state(state)
            assert torch.equal(augment(image), image)
    assert 0.75 < jittered / 600 < 0.85
    assert 0.44 < blurred / 600 < 0.56


def test_each_image_gets_its_own_strength():
    torch.manual_seed(1)
    augment = sa.StrongAugmentation(MEAN, STD, jitter_probability=1.0, blur_probability=0.0)
    result = augment(torch.randn(1, 3, 8, 8).expand(4, 3, 8, 8).clone())
    assert not any(torch.allclose(result[0], other) for other in result[1:])


def test_factors_stay_in_their_range():
    torch.manual_seed(5)
    mean, std = [0.0] * 3, [255.0] * 3
    augment = sa.StrongAugmentation(
        mean, std, strength=0.1, jitter_probability=1.0, blur_probability=0.0
    )
    grey = torch.full((64, 3, 4, 4), 0.5)  # hue and saturation leave grey as it is
    levels = augment(grey)[:, 0, 0, 0]
    # brightness adds at most 0.1 and contrast multiplies by at most 1.1, in either order
    assert 0.36 <= float(levels.min()) < 0.45
    assert 0.55 < float(levels.max()) <= 0.66


def test_input_and_gradients_are_left_alone():
    augment = sa.StrongAugmentation(MEAN, STD, jitter_probability=1.0, blur_probability=1.0)
    image = torch.randn(2, 3, 64, 64, requires_grad=True)
    before = image.detach().clone()
    result = augment(image)
    assert torch.equal(image, before)
    assert not result.requires_grad


def test_each_image_can_have_its_own_coins():
    torch.manual_seed(4)
    augment = sa.StrongAugmentation(MEAN, STD, jitter_probability=0.3, per="image")
    image = torch.randn(8, 3, 32, 32)
    jittered, blurred, both = 0, 0, 0
    for _ in range(60):
        state = torch.get_rng_state()
        coins = torch.rand(2, 8)
        torch.set_rng_state(state)
        result = augment(image)
        changed = (result != image).flatten(1).any(1)
        jitter, blur = coins[0] < 0.3, coins[1] < 0.5
        assert torch.equal(changed, jitter | blur)
        jittered, blurred = jittered + int(jitter.sum()), blurred + int(blur.sum())
        both += bool(jitter.any()) and not bool(jitter.all())
    assert 0.24 < jittered / 480 < 0.36
    assert 0.43 < blurred / 480 < 0.57
    assert both > 30  # images of one batch are treated differently
    with pytest.raises(ValueError, match="'batch' or 'image'"):
        sa.StrongAugmentation(MEAN, STD, per="pixel")


def test_the_blur_can_be_shared_by_the_batch():
    image = torch.randn(1, 3, 32, 32).expand(3, 3, 32, 32).clone()
    for shared in (True, False):
        torch.manual_seed(2)
        augment = sa.StrongAugmentation(
            MEAN, STD, jitter_probability=0.0, blur_probability=1.0, shared_sigma=shared
        )
        first, *others = augment(image)
        assert all(torch.allclose(first, other, atol=1e-6) for other in others) is shared


def test_the_strength_of_dacs_reaches_further_than_that_of_daformer():
    grey = torch.full((400, 3, 2, 2), 0.5)
    ranges = []
    for strength in (0.2, 0.25):
        torch.manual_seed(6)
        augment = sa.StrongAugmentation([0.0] * 3, [255.0] * 3, strength, 1.0, 0.0)
        values = augment(grey)[:, 0, 0, 0]
        # (0.5 + s)(1 + s) is the largest value that brightness and contrast can make of 0.5
        assert float(values.max()) <= (0.5 + strength) * (1 + strength)
        ranges.append(float(values.max()))
    assert ranges[0] < 0.84 < ranges[1]


@pytest.mark.parametrize("shared", [True, False])
def test_the_order_of_the_colour_operations_can_differ_between_images(shared, monkeypatch):
    orders = []
    original = sa._in_random_order

    def watched(rgb, factors):
        state = torch.get_rng_state()
        orders.append(torch.randperm(4).tolist())
        torch.set_rng_state(state)
        return original(rgb, factors)

    monkeypatch.setattr(sa, "_in_random_order", watched)
    augment = sa.StrongAugmentation([0.0] * 3, [255.0] * 3, 0.2, 1.0, 0.0, shared_order=shared)
    image = torch.rand(5, 3, 4, 4)
    torch.manual_seed(8)
    result = augment(image)
    assert len(orders) == (1 if shared else 5)
    assert shared or len({tuple(order) for order in orders}) > 1

    torch.manual_seed(8)
    torch.rand(2, 1)
    factors = [*torch.empty(3, 5).uniform_(0.8, 1.2), torch.empty(5).uniform_(-0.2, 0.2)]
    operations = [sa.adjust_brightness, sa.adjust_contrast, sa.adjust_saturation, sa.adjust_hue]
    for i in range(5):
        expected = image[i : i + 1]
        for k in orders[0 if shared else i]:
            expected = operations[k](expected, factors[k][i : i + 1])
        assert torch.allclose(result[i], expected[0], atol=1e-6)

"""FDA: the amplitude swap and the loss against plain computations of the paper's equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import small_world
import torch
from mmengine.registry import init_default_scope
from torch.nn import functional

from mmseg_ext.errors import MethodError
from mmseg_ext.methods.base import Batch
from mmseg_ext.registry import MODELS

STD, MEAN = 63.75, 127.5  # of small_world.STATISTICS


@pytest.fixture
def fda(fda_folder):
    init_default_scope("mmseg_ext")
    from udabench_fda import fda

    return fda


def images(height, width, seed=0, low=0, high=256):
    rng = np.random.default_rng(seed)
    return rng.integers(low, high, (2, 3, height, width)).astype(np.float64)


def swapped(source, target, beta):
    """Equation 3 frequency by frequency, with the whole plane of a complex transform."""
    height, width = source.shape[-2:]
    mixed = np.fft.fft2(source)
    other = np.fft.fft2(target)
    for i in range(height):
        for j in range(width):
            k_h = i if i <= height / 2 else i - height
            k_w = j if j <= width / 2 else j - width
            if abs(k_h) < beta * height and abs(k_w) < beta * width:
                phase = np.angle(mixed[..., i, j])
                mixed[..., i, j] = np.abs(other[..., i, j]) * np.exp(1j * phase)
    result = np.fft.ifft2(mixed)
    assert np.abs(result.imag).max() < 1e-9
    return result.real


@pytest.mark.parametrize("size", [(16, 32), (15, 21), (10, 9)])
@pytest.mark.parametrize("beta", [0.01, 0.09, 0.1, 0.3])
def test_the_swap_is_that_of_the_paper(fda, size, beta):
    source, target = images(*size, 1), images(*size, 2)
    found = fda.swap_low_frequencies(torch.tensor(source), torch.tensor(target), beta)
    np.testing.assert_allclose(found.numpy(), swapped(source, target, beta), atol=1e-9)


def test_every_phase_is_the_sources_and_low_amplitudes_are_the_targets(fda):
    source, target = images(16, 32, 1), images(16, 32, 2)
    found = np.fft.fft2(fda.swap_low_frequencies(*map(torch.tensor, (source, target)), 0.2))
    turned = np.exp(1j * (np.angle(found) - np.angle(np.fft.fft2(source))))
    np.testing.assert_allclose(turned, 1.0, atol=1e-6)
    amplitude, wanted = np.abs(found), np.abs(np.fft.fft2(target))
    np.testing.assert_allclose(amplitude[..., :4, :7], wanted[..., :4, :7], rtol=1e-9)
    np.testing.assert_allclose(amplitude[..., -3:, -6:], wanted[..., -3:, -6:], rtol=1e-9)
    kept = np.abs(np.fft.fft2(source))
    np.testing.assert_allclose(amplitude[..., 4:-3, :], kept[..., 4:-3, :], rtol=1e-9)
    np.testing.assert_allclose(amplitude[..., :, 7:-6], kept[..., :, 7:-6], rtol=1e-9)


def test_beta_0_changes_nothing_and_an_image_in_its_own_style_stays(fda):
    source, target = (torch.tensor(images(16, 32, seed)).float() for seed in (1, 2))
    torch.testing.assert_close(
        fda.swap_low_frequencies(source, target, 0.0), source, atol=1e-3, rtol=0
    )
    torch.testing.assert_close(
        fda.swap_low_frequencies(source, source, 0.3), source, atol=1e-3, rtol=0
    )


def test_the_penalty(fda):
    found = fda.charbonnier(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64), 2.0)
    np.testing.assert_allclose(found, [1e-12, (0.25 + 1e-6) ** 2, (1 + 1e-6) ** 2], rtol=1e-12)


def build(**changes):
    torch.manual_seed(0)
    config = small_world.model("source-only")
    del config["strong_augmentation"]
    model = MODELS.build({**config, "type": "FDA", **changes})
    model.init_weights()
    return model.train()


def batch(source, target):
    """Normalised images and labels of random classes."""
    label = torch.randint(
        0, 19, (2, *source.shape[-2:]), generator=torch.Generator().manual_seed(0)
    )
    image, other = (torch.tensor((each - MEAN) / STD).float() for each in (source, target))
    return Batch(image, label, other)


def seen_by(model, monkeypatch):
    """What the student is trained on, as pixel values."""
    found = []

    def predict(image):
        found.append((image * STD + MEAN).detach().double().numpy())
        return type(model).predict(model, image)

    monkeypatch.setattr(model, "predict", predict)
    return found


def test_the_student_sees_pixel_values_swapped_whatever_the_normalisation(fda, monkeypatch):
    """Bright sources and dark targets lie on either side of the mean that is subtracted."""
    model = build(beta=0.1)
    source, target = images(64, 64, 1, low=160), images(64, 64, 2, high=90)
    seen = seen_by(model, monkeypatch)
    list(model.training_terms(batch(source, target)))
    np.testing.assert_allclose(seen[0], swapped(source, target, 0.1), atol=0.05)
    np.testing.assert_allclose(seen[0].mean((2, 3)), target.mean((2, 3)), atol=0.01)


def test_the_terms_are_those_of_the_paper(fda):
    model = build(beta=0.05, entropy_weight=0.3, eta=1.5).eval()
    source, target = images(64, 64, 1), images(64, 64, 2)
    given = batch(source, target)
    terms = {term.name: term for term in model.training_terms(given)}

    mixed = torch.tensor((swapped(source, target, 0.05) - MEAN) / STD).float()
    with torch.no_grad():
        wanted = functional.cross_entropy(model.segment(model.student, mixed), given.source_label)
        p = model.segment(model.student, given.target_image).double().softmax(1)
    torch.testing.assert_close(terms["source"].loss, wanted, atol=1e-4, rtol=1e-4)
    entropy = -(p * p.log()).sum(1) / math.log(19)
    penalty = (0.3 * (entropy**2 + 1e-6) ** 1.5).mean().float()
    torch.testing.assert_close(terms["entropy"].loss, penalty, atol=1e-6, rtol=1e-4)
    observed = terms["entropy"].observed["target_entropy"]
    torch.testing.assert_close(observed, entropy.mean().float(), atol=1e-6, rtol=1e-4)


def test_without_a_weight_there_is_no_entropy_term(fda):
    terms = list(build(entropy_weight=None).training_terms(batch(images(64, 64), images(64, 64))))
    assert [term.name for term in terms] == ["source"]


def test_wrong_arguments_and_missing_targets_are_named(fda):
    with pytest.raises(MethodError, match=r"beta is a share .* 0 to 1, got 5"):
        build(beta=5)
    given = batch(images(64, 64), images(64, 64))
    with pytest.raises(MethodError, match="FDA needs target images"):
        next(build().training_terms(Batch(given.source_image, given.source_label, None)))

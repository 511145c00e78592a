"""Which pixels are pasted, and what becomes of image, label and weight."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmseg_ext.parts.class_mix import ClassMix
from mmseg_ext.parts.pseudo_labels import Pseudo


def labels_with(classes, seed, batch=3, side=6):
    generator = torch.Generator().manual_seed(seed)
    index = torch.randint(0, len(classes), (batch, side, side), generator=generator)
    return torch.tensor(classes)[index]


@settings(max_examples=60, deadline=None)
@given(
    classes=st.lists(st.sampled_from([*range(19), 255]), min_size=1, max_size=9, unique=True),
    seed=st.integers(0, 10_000),
    scope=st.sampled_from(["batch", "image"]),
)
def test_half_of_the_candidates_are_pasted_whole(classes, seed, scope):
    labels = labels_with(classes, seed)
    torch.manual_seed(seed)
    mask = ClassMix(scope).mask(labels)
    everything = set(labels.unique().tolist())
    for label, pasted in zip(labels, mask, strict=True):
        own = set(label.unique().tolist())
        taken = set(label[pasted].unique().tolist())
        assert taken.isdisjoint(label[~pasted].unique().tolist())  # a class is pasted whole
        if scope == "image":
            assert len(taken) == (len(own) + 1) // 2
        else:
            assert len(taken) <= (len(everything) + 1) // 2


def test_batch_scope_draws_from_classes_of_other_images():
    labels = torch.stack([torch.zeros(4, 4), torch.ones(4, 4)]).long()
    torch.manual_seed(0)
    shares = [float(ClassMix("batch").mask(labels)[0].float().mean()) for _ in range(50)]
    # one of two classes is drawn, and half of the time it is not in the first image
    assert set(shares) == {0.0, 1.0}
    assert all(bool(ClassMix("image").mask(labels).all()) for _ in range(10))


def test_mixing_takes_image_label_and_weight_from_the_same_side():
    torch.manual_seed(3)
    source, target = torch.randn(2, 3, 6, 6), torch.randn(2, 3, 6, 6)
    labels = labels_with([0, 3, 7, 255], seed=4, batch=2)
    pseudo = Pseudo(torch.full((2, 6, 6), 11), torch.tensor(0.25))
    torch.manual_seed(9)
    mask = ClassMix("image").mask(labels)
    torch.manual_seed(9)
    mixed = ClassMix("image")(source, labels, target, pseudo)
    for b in range(2):
        for y in range(6):
            for x in range(6):
                pasted = bool(mask[b, y, x])
                image = source if pasted else target
                assert torch.equal(mixed.image_bchw[b, :, y, x], image[b, :, y, x])
                assert int(mixed.label_bhw[b, y, x]) == (int(labels[b, y, x]) if pasted else 11)
                assert float(mixed.weight_bhw[b, y, x]) == (1.0 if pasted else 0.25)


def test_an_unknown_scope_is_refused():
    with pytest.raises(ValueError, match="'batch' or 'image'"):
        ClassMix("pixel")

"""One weight for the whole batch: the share of confident pixels."""

from __future__ import annotations

import torch

from mmseg_ext.parts.pseudo_labels import PseudoLabels


def test_labels_and_weight_follow_the_definition():
    torch.manual_seed(1)
    logits = torch.randn(2, 4, 5, 6) * 4
    pseudo = PseudoLabels(threshold=0.9)(logits)
    confident = 0
    for b in range(2):
        for y in range(5):
            for x in range(6):
                scores = logits[b, :, y, x].double().exp()
                shares = (scores / scores.sum()).tolist()
                confident += max(shares) >= 0.9
                assert int(pseudo.label_bhw[b, y, x]) == shares.index(max(shares))
    assert float(pseudo.weight) == torch.tensor(confident / 60.0).item()
    assert pseudo.weight.shape == ()


def test_the_threshold_itself_is_confident():
    logits = torch.zeros(1, 2, 1, 1)
    assert float(PseudoLabels(threshold=0.5)(logits).weight) == 1.0
    assert float(PseudoLabels(threshold=0.50001)(logits).weight) == 0.0


def test_no_graph_is_recorded():
    pseudo = PseudoLabels()(torch.randn(1, 3, 2, 2, requires_grad=True))
    assert not pseudo.weight.requires_grad

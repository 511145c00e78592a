"""ADVENT: adversarial minimisation of the entropy of target predictions.

Vu et al., "ADVENT: Adversarial Entropy Minimization for Domain Adaptation in Semantic
Segmentation", CVPR 2019 (valeoai/ADVENT, advent/domain_adaptation/train_UDA.py).
"""

from __future__ import annotations

from typing import ClassVar, Literal

from mmseg_ext.methods.adaptsegnet import AdaptSegNet
from mmseg_ext.registry import MODELS


@MODELS.register_module()
class ADVENT(AdaptSegNet):
    """L = CE(f(x_S), y_S) + lambda l(D(I f(x_T)), source), and for the discriminator
    L_D = 1/2 l(D(I f(x_S)), source) + 1/2 l(D(I f(x_T)), target).

    I is the weighted self-information of a prediction (`parts.entropy.self_information`), one map a
    class. It stands where AdaptSegNet has the softmax; the pair differs in nothing else, in the
    papers' constants as here. The maps are not rescaled, although their entries stay below 0.125
    for 19 classes: the discriminator learns the more slowly, as in the original.
    """

    adapter: ClassVar[Literal["softmax", "self_information"]] = "self_information"

"""Methods and encoders that each break one rule of the benchmark."""

from __future__ import annotations

import dataclasses
import os
import signal
import time

import torch
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from torch import distributed, nn
from torch.nn import functional

from mmseg_ext.methods.base import Term
from mmseg_ext.methods.dacs import DACS
from mmseg_ext.methods.minent import MinEnt
from mmseg_ext.methods.supervised import Supervised
from mmseg_ext.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS


@MODELS.register_module()
class TrainsItsTeacher(DACS):
    """Its teacher requires gradients."""

    def __init__(self, **options):
        super().__init__(**options)
        self.teacher.requires_grad_(True)


@MODELS.register_module()
class TrainsACopy(Supervised):
    """A copy of the student under a harmless name, trained with it."""

    def __init__(self, **options):
        super().__init__(**options)
        self.memory = MODELS.build(options["segmentor"])

    def training_terms(self, batch):
        yield from super().training_terms(batch)
        yield Term("memory", self.segment(self.memory, batch.source_image).square().mean())


@MODELS.register_module()
class TouchesFrozenParts(Supervised):
    """Moves a weight of the student that is said to be frozen."""

    def __init__(self, **options):
        super().__init__(**options)
        self.student.backbone.stem.requires_grad_(False)

    def training_terms(self, batch):
        yield from super().training_terms(batch)
        with torch.no_grad():
            next(self.student.backbone.stem.parameters()).mul_(1.01)


@MODELS.register_module()
class IgnoresAPart(Supervised):
    """Has a trainable part that no loss depends on."""

    def __init__(self, **options):
        super().__init__(**options)
        self.projection = nn.Linear(2, 2)


@MODELS.register_module()
class ReadsTargetLabels(MinEnt):
    """Takes the target's labels where there are some, and hides them from the base class."""

    def train_step(self, data, optim_wrapper):
        samples = data["target"]["data_samples"]
        self.labels = [s.gt_sem_seg.data for s in samples if "gt_sem_seg" in s]
        for sample in samples:
            sample.pop("gt_sem_seg", None)
        return super().train_step(data, optim_wrapper)

    def training_terms(self, batch):
        yield from super().training_terms(batch)
        logits = self.segment(self.student, batch.target_image)
        if self.labels:
            yield Term("target", functional.cross_entropy(logits, torch.cat(self.labels)))


@MODELS.register_module()
class RemembersInSecret(Supervised):
    """Counts steps outside of its state, and weighs its loss by them."""

    count = 0

    def training_terms(self, batch):
        self.count += 1
        for term in super().training_terms(batch):
            yield dataclasses.replace(term, loss=term.loss * self.count)


@MODELS.register_module()
class RemembersInItsClass(RemembersInSecret):
    """The same in a class, which only another process forgets."""

    def training_terms(self, batch):
        type(self).count += 1
        for term in Supervised.training_terms(self, batch):
            yield dataclasses.replace(term, loss=term.loss * self.count)


@MODELS.register_module()
class NeverSettles(Supervised):
    """Draws from the machine's entropy."""

    def training_terms(self, batch):
        factor = 1.0 + torch.rand((), generator=_unseeded())
        for term in super().training_terms(batch):
            yield dataclasses.replace(term, loss=term.loss * factor)


def _unseeded():
    generator = torch.Generator()
    generator.seed()
    return generator


@MODELS.register_module()
class NotFinite(Supervised):
    """The mean over no pixel at all, where nothing is labelled."""

    def training_terms(self, batch):
        logits = self.segment(self.student, batch.source_image)
        yield Term("mean", functional.cross_entropy(logits, batch.source_label, ignore_index=255))


@MODELS.register_module()
class StepsAlone(Supervised):
    """A step of its own that averages nothing over processes."""

    def train_step(self, data, optim_wrapper):
        batch = self.prepare(data)
        loss = self.cross_entropy(
            self.segment(self.student, batch.source_image), batch.source_label
        )
        optim_wrapper.update_params(loss)
        return {"loss": loss, "loss_source": loss}


@MODELS.register_module()
class HangsInOneProcess(Supervised):
    """Waits for the other process, which does not come."""

    def training_terms(self, batch):
        if distributed.get_rank() == 0:
            distributed.barrier()
        raise RuntimeError("the reason")


@MODELS.register_module()
class PredictsAtRandom(Supervised):
    """Drops features in evaluation mode too."""

    def forward(self, inputs, data_samples=None, mode="tensor"):
        noisy = inputs + 9.0 * torch.randn_like(inputs)
        return super().forward(noisy, data_samples, mode)


@MODELS.register_module()
class NoMethod(nn.Module):
    """Not derived from the base of methods."""

    def __init__(self, **options):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def init_weights(self):
        """Nothing to draw."""


class Pyramid(BaseModule):
    """Convolutions with stride 2; ``padding`` and ``first`` make wrong ones of them."""

    padding, first, decoy = 1, 1, False

    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(3 if n == 0 else 8, 8, 3, stride=2, padding=self.padding) for n in range(5)
        )
        if self.decoy:
            self.tower = nn.Identity()

    def forward(self, images):
        maps = []
        for convolution in self.convolutions:
            images = torch.relu(convolution(images))
            maps.append(images)
        return tuple(maps[self.first : self.first + 4])


@MODELS.register_module()
class RightPyramid(Pyramid):
    """As it should be."""


@MODELS.register_module()
class RoundsDown(Pyramid):
    """Loses the last column of images with odd sides."""

    def forward(self, images):
        height, width = (side // 32 * 32 for side in images.shape[2:])
        return super().forward(images[:, :, : max(height, 32), : max(width, 32)])


@MODELS.register_module()
class TooFine(Pyramid):
    """Strides 2, 4, 8 and 16."""

    first = 0


@MODELS.register_module()
class DecoyTower(Pyramid):
    """What it calls its tower is not what was pre-trained."""

    decoy = True


@MODELS.register_module()
class HasAnUnusedHead(Pyramid):
    """Keeps the classifier that it was pre-trained with."""

    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.classifier = nn.Linear(8, 10)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class DecoderAlone:
    """Builds an optimizer that forgets the encoder."""

    def __init__(self, optim_wrapper_cfg, paramwise_cfg=None):
        self.rate = optim_wrapper_cfg["optimizer"]["lr"]

    def __call__(self, model):
        head = model.student.decode_head
        return OptimWrapper(torch.optim.SGD(head.parameters(), lr=self.rate))


def killed():
    """Ends like a process that took too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def hangs():
    """Does not end."""
    time.sleep(60)

"""A tiny two-domain data set on disk and runner configurations that train on it in seconds."""

from __future__ import annotations

import copy
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import ConfigDict

HEIGHT, WIDTH = 64, 64


def write_domain(folder: Path, count: int, seed: int, shift: int) -> None:
    """Blocks of random classes whose colour is a function of the class, tinted by ``shift``."""
    rng = np.random.default_rng(seed)
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    for index in range(count):
        blocks = rng.integers(0, 19, (4, 4), dtype=np.uint8)
        label = np.kron(blocks, np.ones((HEIGHT // 4, WIDTH // 4), np.uint8))
        colour = label[..., None] * np.array([13, 7, 3]) + shift
        image = np.clip(colour + rng.integers(0, 12, colour.shape), 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / "images" / f"{index:03d}.png"), image)
        assert cv2.imwrite(str(folder / "labels" / f"{index:03d}.png"), label)


def write_world(root: Path) -> Path:
    """Domains ``source`` and ``target``, seven training and three test images each."""
    for seed, (name, shift) in enumerate((("source", 0), ("target", 25))):
        write_domain(root / name / "train", 7, seed, shift)
        write_domain(root / name / "test", 3, seed + 10, shift)
    return root


def dataset(root, name, split="train", *, labelled=True, flip=False):
    """Configuration of one domain's data set."""
    readers = [{"type": "ReadImage"}] + ([{"type": "ReadLabel"}] if labelled else [])
    augment = [{"type": "RandomFlip", "prob": 0.5}] if flip else []
    return {
        "type": "DomainDataset",
        "domain": name,
        "data_root": str(root),
        "images": f"{name}/{split}/images",
        "labels": f"{name}/{split}/labels" if labelled else None,
        "pipeline": [*readers, *augment, {"type": "PackSegInputs"}],
    }


STATISTICS = {"mean": [127.5] * 3, "std": [63.75] * 3}
METHODS = {
    "source-only": {"type": "Supervised", "strong_augmentation": None},
    "source-aug": {"type": "Supervised", "strong_augmentation": {}},
    "dacs": {
        "type": "DACS",
        "teacher": {"alpha": 0.9},
        "pseudo_labels": {"threshold": 0.1},
        "class_mix": {"scope": "batch"},
        "strong_augmentation": {},
    },
    "adaptsegnet": {
        "type": "AdaptSegNet",
        "adversary": {"weight": 0.01},
        "discriminator": {"ndf": 8, "layers": 4},
    },
    "advent": {
        "type": "ADVENT",
        "adversary": {"weight": 0.01},
        "discriminator": {"ndf": 8, "layers": 4},
    },
    "minent": {"type": "MinEnt", "weight": 0.01},
    "norm-stats": {"type": "NormStats"},
}
METHODS["daformer"] = {
    **METHODS["dacs"],
    "type": "DAFormer",
    "feature_distance": {"level": 1},  # blocks of 16 pixels fill its cells of 8
    "ignored_rows": {"top": 4, "bottom": 9},
}
METHODS["mic"] = {
    **METHODS["daformer"],
    "type": "MIC",
    "masking": {"kind": "block", "size": 16, "ratio": 0.7},
    "mask_augmentation": {"shared_sigma": True},
}
for _method in ("daformer", "mic"):
    METHODS[f"{_method}-hrda"] = {
        **METHODS[_method],
        "segmentor": {"type": "HRDASegmentor", "detail_size": [32, 32]},
    }
# Methods whose source images are drawn by class.
RARE_CLASSES = {
    name: {"temperature": 0.05, "min_pixels": 100, "min_crop_ratio": 0.5}
    for name, method in METHODS.items()
    if method["type"] in ("DAFormer", "MIC")
}
# Methods whose data set has no target domain.
SOURCE_ALONE = ("source-only", "source-aug")


def model(method, **changes):
    """Configuration of a method around a very small student."""
    own = copy.deepcopy(METHODS[method])
    return ConfigDict(
        {
            **own,
            "segmentor": {
                "type": "EncoderDecoder",
                "backbone": {"type": "ResNetMini"},
                "decode_head": {
                    "type": "DAFormerHead",
                    "in_channels": [48, 96, 128, 128],
                    "channels": 16,
                    "dilations": [1, 2],
                    "num_classes": 19,
                    "dropout_ratio": 0.0,
                    "norm_cfg": {"type": "GN", "num_groups": 4},
                },
                "train_cfg": {},
                "test_cfg": {"mode": "whole"},
                **own.get("segmentor", {}),
            },
            "data_preprocessor": {
                "type": "SegDataPreProcessor",
                **STATISTICS,
                "bgr_to_rgb": True,
                "size": [HEIGHT, WIDTH],
                "pad_val": 0,
                "seg_pad_val": 255,
            },
            **changes,
        }
    )


def optimization(method):
    """Optimizer and schedule of the student, and of the discriminator where there is one."""
    student = {"type": "OptimWrapper", "optimizer": {"type": "AdamW", "lr": 1e-3}}
    decay = [{"type": "PolyLR", "power": 0.9, "by_epoch": False, "begin": 0, "end": 9}]
    if "discriminator" not in METHODS[method]:
        return {"optim_wrapper": student, "param_scheduler": decay}
    adam = {"type": "Adam", "lr": 1e-4, "betas": [0.9, 0.99]}
    return {
        "optim_wrapper": {
            "constructor": "PartOptimWrapperConstructor",
            "student": student,
            "discriminator": {"type": "OptimWrapper", "optimizer": adam},
        },
        "param_scheduler": {
            "student": decay,
            "discriminator": [{**decay[0], "end": 7}],
        },
    }


def runner_config(root, work_dir, method="dacs", *, iterations=6, workers=0, seed=0, interval=0):
    """A whole runner configuration; ``interval`` is that of the resume point."""
    target = dataset(root, "target", labelled=False, flip=True)
    test = {
        "batch_size": 2,
        "num_workers": 0,
        "sampler": {"type": "DefaultSampler", "shuffle": False},
    }
    return {
        "default_scope": "mmseg_ext",
        "work_dir": str(work_dir),
        "experiment_name": f"test-{work_dir.name}-{method}-{iterations}-{seed}",
        "model": model(method),
        "train_dataloader": {
            "batch_size": 2,
            "num_workers": workers,
            "sampler": {"type": "PositionSampler"},
            "dataset": {
                "type": "PairedDataset",
                "source": dataset(root, "source", flip=True),
                "target": None if method in SOURCE_ALONE else target,
                "seed": seed,
                "rare_class_sampling": RARE_CLASSES.get(method),
            },
        },
        "train_cfg": {"type": "UDATrainLoop", "max_iters": iterations},
        **optimization(method),
        "test_dataloader": {
            name: {**test, "dataset": dataset(root, name, "test")} for name in ("source", "target")
        },
        "test_cfg": {"type": "MultiDomainTestLoop"},
        "test_evaluator": {"type": "ConfusionMetric"},
        "randomness": {"seed": seed},
        "log_level": "WARNING",
        "log_processor": {"by_epoch": False},
        "default_hooks": {"checkpoint": None},
        "custom_hooks": [
            {"type": "CurveHook", "interval": 2},
            {"type": "ResumePointHook", "interval": interval},
        ],
    }

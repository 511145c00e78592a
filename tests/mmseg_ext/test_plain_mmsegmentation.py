"""The extension without the benchmark: a plain MMSegmentation configuration, MMEngine's Runner."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CONFIG = """
custom_imports = dict(imports=["mmseg_ext"])
default_scope = "mmseg"
_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations"),
    dict(type="RandomCrop", crop_size=(56, 56), cat_max_ratio=0.9),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackSegInputs"),
]
_dataset = dict(
    type="BaseSegDataset",
    data_root="DATA",
    data_prefix=dict(img_path="images", seg_map_path="labels"),
    img_suffix=".png",
    seg_map_suffix=".png",
    metainfo=dict(classes=("left", "right"), palette=[[0, 0, 0], [255, 255, 255]]),
)
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[122.77, 116.75, 104.09],
        std=[68.5, 66.63, 70.32],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(56, 56),
        test_cfg=dict(size_divisor=1),
    ),
    backbone=dict(
        type="mmseg_ext.EVA02CLIP",
        model="EVA02-B-16",
        model_args=dict(embed_dim=48, depth=4, num_heads=3, patch_size=14),
        feature_layers=(0, 1, 2, 3),
    ),
    decode_head=dict(
        type="mmseg_ext.DAFormerHead",
        in_channels=[48, 48, 48, 48],
        channels=32,
        num_classes=2,
        norm_cfg=dict(type="BN"),
        loss_decode=dict(type="CrossEntropyLoss"),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode="whole"),
)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(pipeline=_pipeline, **_dataset),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        pipeline=[
            dict(type="LoadImageFromFile"), dict(type="LoadAnnotations"), dict(type="PackSegInputs")
        ],
        **_dataset,
    ),
)
val_evaluator = dict(type="IoUMetric", iou_metrics=["mIoU"])
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=2e-3))
train_cfg = dict(type="IterBasedTrainLoop", max_iters=30, val_interval=30)
val_cfg = dict(type="ValLoop")
randomness = dict(seed=0)
default_hooks = dict(logger=dict(type="LoggerHook", interval=10))
work_dir = "WORK"
"""
PROGRAM = """
import json, sys
from mmengine.config import Config
from mmengine.runner import Runner

runner = Runner.from_cfg(Config.fromfile(sys.argv[1]))
runner.train()
scalars = runner.message_hub.log_scalars
losses = [float(each) for each in scalars["train/loss"].data[0]]
print(json.dumps({
    "losses": losses,
    "miou": float(scalars["val/mIoU"].current()),
    "backbone": type(runner.model.backbone).__module__,
    "head": type(runner.model.decode_head).__module__,
    "benchmark": [name for name in sys.modules if name.partition(".")[0] == "benchmark"],
}))
"""


def write_images(folder: Path) -> None:
    """Two halves, told by their brightness, with the edge anywhere."""
    generator = np.random.default_rng(0)
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for number in range(6):
        edge = int(generator.integers(20, 60))
        label = np.zeros((64, 80), np.uint8)
        label[:, edge:] = 1
        noise = generator.integers(0, 60, (64, 80, 3))
        image = (noise + np.where(label[..., None] == 1, 170, 20)).astype(np.uint8)
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
        Image.fromarray(label).save(folder / "labels" / f"{number}.png")


@pytest.mark.slow
def test_a_plain_configuration_trains_eva02_with_the_daformer_head(tmp_path: Path) -> None:
    write_images(tmp_path / "data")
    config = tmp_path / "supervised.py"
    text = CONFIG.replace("DATA", str(tmp_path / "data")).replace("WORK", str(tmp_path / "work"))
    config.write_text(text)
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(config)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    told = json.loads(finished.stdout.splitlines()[-1])
    assert len(told["losses"]) == 30
    assert np.mean(told["losses"][-5:]) < 0.5 * np.mean(told["losses"][:3])
    assert told["miou"] > 60
    assert told["backbone"] == "mmseg_ext.encoders.open_clip_encoder"
    assert told["head"] == "mmseg_ext.heads.daformer_head"
    assert told["benchmark"] == []

"""Training as in the DAFormer code base (512x512 crops at half size, 40,000 iterations).

Values come from lhoyer/DAFormer (experiments.py, configs/_base_); what had to be inferred says so.
Learning rates are the encoders': 6e-5 for MiT-B5 and ResNet-101, ten times that for the decoder.
"""

card = dict(
    title="DAFormer",
    summary="40k iterations on 2+2 crops of 512x512; the last iterate is scored.",
    paper="Hoyer et al., DAFormer, CVPR 2022",
    url="https://github.com/lhoyer/DAFormer",
)
iterations = 40_000
# Images of each domain in one step. The encoders' learning rates are for it: no change of it
# rescales them. Processes and micro-batches split it and keep both.
batch_size = 2
image_size = (512, 512)
_adverse = (960, 540)
# Bounds of the longest and the shortest side: the ratio is kept, so that a frame of GTA5 becomes
# 1280x704.
train_scales = {
    "gta5": (1280, 720),
    "synthia": (1280, 760),
    "cityscapes": (1024, 512),
    "acdc": _adverse,
    "dark-zurich": _adverse,
    # Inferred: the references lie in the same frames as ACDC's adverse images; the sources below
    # have the size or the camera of Cityscapes.
    "acdc-reference": _adverse,
    "urbansyn": (1024, 512),
    "synscapes": (1024, 512),
}
_crop = dict(type="RandomCrop", crop_size=image_size, cat_max_ratio=0.75)
_flip = dict(type="RandomFlip", prob=0.5)
pipeline = dict(
    source=[_crop, _flip],
    # Without labels there are no shares of classes to bound.
    target=[dict(type="RandomCrop", crop_size=image_size), _flip],
    # For the supervised baselines only. The oracle's labelled images are the target's.
    photometric=[_crop, _flip, dict(type="PhotoMetricDistortion")],
)
decode_head = dict(
    type="DAFormerHead",
    channels=256,
    dilations=(1, 6, 12, 18),
    # Batch norm, unsynchronised. For ResNet-101 too, so that the head is the same with all encoders
    # (inferred: the code base has no ResNet-101 with this head, and drops the norms of others).
    norm_cfg=dict(type="BN"),
    dropout_ratio=0.1,
)
optimizer = dict(type="AdamW", betas=(0.9, 0.999), weight_decay=0.01)
clip_grad = None
# The warm-up is multiplied onto the decay, which begins at iteration 0.
schedule = dict(warmup_iterations=1500, warmup_factor=1e-6, power=1.0)
class_weight = None
channels_last = False  # the mathematics is the same, its rounding is not
evaluation = "daformer"

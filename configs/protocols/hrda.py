"""Training as in the HRDA and MIC code bases: crops of 1024x1024 at full size.

For `hrda` and `mic-hrda`. Values come from lhoyer/HRDA and lhoyer/MIC (configs/_base_/datasets,
experiments.py); what had to be inferred says so.
"""

card = dict(
    title="HRDA",
    summary="40k iterations on 2+2 crops of 1024x1024 at full size; scored in windows.",
    paper="Hoyer et al., HRDA, ECCV 2022; MIC, CVPR 2023",
    url="https://github.com/lhoyer/HRDA",
)
iterations = 40_000
# Images of each domain in one step. The encoders' learning rates are for it: no change of it
# rescales them. Processes and micro-batches split it and keep both.
batch_size = 2
image_size = (1024, 1024)
_adverse = (1920, 1080)
# Twice the sizes of the protocol `daformer`, with the ratio kept: GTA5 becomes 2560x1407.
train_scales = {
    "gta5": (2560, 1440),
    "synthia": (2560, 1520),
    "cityscapes": (2048, 1024),
    "acdc": _adverse,
    "dark-zurich": _adverse,
    # Inferred, as in the protocol `daformer`.
    "acdc-reference": _adverse,
    "urbansyn": (2048, 1024),
    "synscapes": (2048, 1024),
}
_crop = dict(type="RandomCrop", crop_size=image_size, cat_max_ratio=0.75)
_flip = dict(type="RandomFlip", prob=0.5)
pipeline = dict(
    source=[_crop, _flip],
    target=[dict(type="RandomCrop", crop_size=image_size), _flip],
    photometric=[_crop, _flip, dict(type="PhotoMetricDistortion")],
)
decode_head = dict(
    type="DAFormerHead",
    channels=256,
    dilations=(1, 6, 12, 18),
    norm_cfg=dict(type="BN"),
    dropout_ratio=0.1,
)
optimizer = dict(type="AdamW", betas=(0.9, 0.999), weight_decay=0.01)
clip_grad = None
schedule = dict(warmup_iterations=1500, warmup_factor=1e-6, power=1.0)
class_weight = None
channels_last = False
evaluation = "hrda"
# Methods written for crops of 512x512, brought to this size (inferred: the papers run HRDA here):
# four times the pixels of a class, rows and masked blocks twice as high.
_twice = dict(
    rare_class_sampling=dict(min_crop_ratio=2.0),
    ignored_rows=dict(top=30, bottom=240),
)
methods = {
    "source-only-rcs": dict(rare_class_sampling=dict(min_crop_ratio=2.0)),
    "daformer": _twice,
    "mic": dict(**_twice, masking=dict(size=64)),
}

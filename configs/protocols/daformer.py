"""Training as in the DAFormer code base (512x512 crops at half size, 40,000 iterations)."""

card = dict(
    title="DAFormer",
    summary="40k iterations on 2+2 crops of 512x512; the last iterate is scored.",
    paper="Hoyer et al., DAFormer, CVPR 2022",
    url="https://github.com/lhoyer/DAFormer",
)
iterations = 40_000
batch_size = 2  # images of each domain in one step
image_size = (512, 512)
train_scales = {
    "gta5": (1280, 720), "synthia": (1280, 760), "cityscapes": (1024, 512), "acdc": (960, 540),
    "acdc-reference": (960, 540), "dark-zurich": (960, 540),
    # The code base has no configuration for it; half size like Cityscapes, whose size it has.
    "urbansyn": (1024, 512),
}  # fmt: skip
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
    dropout_ratio=0.1,
)
optimizer = dict(type="AdamW", betas=(0.9, 0.999), weight_decay=0.01)
clip_grad = None
schedule = dict(warmup_iterations=1500, warmup_factor=1e-6, power=1.0)
class_weight = None
channels_last = False
evaluation = "daformer"

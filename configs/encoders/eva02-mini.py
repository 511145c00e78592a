"""The EVA02 architecture at a width that trains on a laptop."""

card = dict(
    title="EVA02-mini",
    summary="EVA02 (rotary positions, SwiGLU, sub-LN) at small width, random initial weights.",
    family="vision transformer",
    pretraining="none",
)
backbone = dict(
    type="TimmEncoder",
    model="eva02_base_patch16_clip_224",
    model_args=dict(embed_dim=128, depth=6, num_heads=4, patch_size=8, img_size=64),
    feature_layers=(2, 3, 4, 5),
    out_channels=96,
)
channels = (96, 96, 96, 96)
mean = (127.5, 127.5, 127.5)
std = (63.75, 63.75, 63.75)
learning_rate = dict(encoder=1e-3, decoder=1e-3)

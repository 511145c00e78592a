"""The EVA02 architecture at a width that trains on a laptop."""

card = dict(
    title="EVA02-mini",
    summary="EVA02 (rotary positions, SwiGLU, sub-LN) at small width, from random weights.",
    family="vision transformer",
    pretraining="none",
)
backbone = dict(
    type="TimmEncoder",
    model="eva02_base_patch16_clip_224",
    model_args=dict(embed_dim=96, depth=4, num_heads=3, patch_size=8, img_size=(64, 128)),
    feature_layers=(0, 1, 2, 3),
    out_channels=32,
    detail_stem=True,  # from random weights, patches of 8 pixels resolve no small object in time
)
channels = (32, 32, 32, 32)
mean = (123.675, 116.28, 103.53)
std = (58.395, 57.12, 57.375)
learning_rate = dict(encoder=8e-3, decoder=8e-3)

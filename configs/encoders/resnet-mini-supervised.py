"""ResNet-mini, pre-trained to classify objects: MiniDrive's stand-in for ImageNet weights."""

card = dict(
    title="ResNet-mini (supervised)",
    summary="ResNet-mini from weights that classify object-centred crops; made here, in a minute.",
    family="convolutional",
    pretraining="TODO",
    exposure="TODO",
)
backbone = dict(
    type="ResNetMini",
    pretrained=dict(
        type="CropClassification",
        scenes=600,
        held_out=100,
        iterations=650,
        batch_size=32,
        crop=64,
        learning_rate=2e-3,
        weight_decay=0.02,
        warmup=40,
        label_smoothing=0.05,
        seed=0,
    ),
)
channels = (48, 96, 128, 128)
mean = (123.675, 116.28, 103.53)
std = (58.395, 57.12, 57.375)
learning_rate = dict(encoder=4e-3, decoder=8e-3)

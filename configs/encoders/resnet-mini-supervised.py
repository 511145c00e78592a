"""ResNet-mini, pre-trained to classify objects: MiniDrive's stand-in for ImageNet weights."""

card = dict(
    title="ResNet-mini (supervised)",
    summary="ResNet-mini from weights that classify object-centred crops; made on this machine.",
    family="convolutional",
    pretraining=(
        "29-way classification of about 9,500 object-centred crops of 600 MiniDrive photographs, "
        "800 steps of 32 crops (107 s of one core); held-out accuracy 0.49, chance 0.03. The "
        "categories are objects and parts (window, curb, tree trunk, red traffic sign), finer "
        "than the 19 classes but close to them: an upper end of what ImageNet weights are to a "
        "street scene"
    ),
    exposure=(
        "streets by day in random mixtures of the synthetic, real and geo palettes; no fog, night, "
        "rain or snow, and no scene of a domain"
    ),
)
backbone = dict(
    type="ResNetMini",
    pretrained=dict(
        type="CropClassification",
        scenes=600,
        held_out=100,
        iterations=800,
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
# Source-only, target mIoU of seed 100, rate of the encoder: 2e-3 24.7, 4e-3 25.8, 8e-3 21.9, which
# is resnet-mini's own rate and nearly its own score from random weights (20.8).
learning_rate = dict(encoder=4e-3, decoder=8e-3)

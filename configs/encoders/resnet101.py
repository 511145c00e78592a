"""ResNet-101 (v1c, dilated), the convolutional encoder of the study."""

card = dict(
    title="ResNet-101",
    summary="Dilated ResNet-101 with a deep stem, pre-trained on ImageNet-1k classification.",
    family="convolutional",
    pretraining="ImageNet-1k, supervised classification (open-mmlab resnet101_v1c)",
    licence="Apache-2.0 (open-mmlab)",
    paper="He et al., Deep Residual Learning for Image Recognition, CVPR 2016",
    url="https://arxiv.org/abs/1512.03385",
    exposure="none known: object photographs",
    parameters_m=42.5,
    gmacs={512: 178.5, 1024: 714.0},
    image_statistics=dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    provenance=dict(
        learning_rate="code base lhoyer/DAFormer (experiments.py)",
        weight_decay=(
            "code base lhoyer/DAFormer (experiments.py); nothing exempt: its rule for norms "
            "matches no name of a ResNet"
        ),
        architecture=(
            "code base lhoyer/DAFormer (segformer_r101.py); which ResNet the paper used is "
            "not known"
        ),
    ),
)
backbone = dict(
    type="ResNetEncoder",
    depth=101,
    stem="v1c",
    pretrained="imagenet",
)
channels = (256, 512, 1024, 2048)
learning_rate = dict(encoder=6e-5, decoder=6e-4)
weight_decay = 0.01

"""DINOv3-L/16, self-supervised on images alone."""

card = dict(
    title="DINOv3-L/16",
    summary=(
        "Self-supervised vision transformer with rotary positions; no language in its training."
    ),
    family="vision transformer, self-supervised",
    pretraining="DINOv3 on LVD-1689M (distilled from ViT-7B)",
    licence="DINOv3 License (facebookresearch/dinov3): terms on redistribution",
    paper="Simeoni et al., DINOv3, 2025",
    url="https://arxiv.org/abs/2508.10104",
    exposure="unknown: images of public posts and curated sets",
    parameters_m=315.7,  # with the pyramid
    gmacs={512: 389.4, 1024: 2171.4},
    image_statistics=dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    provenance=dict(
        learning_rate=(
            "code base tue-mps/benchmark-vfm-ss (one recipe for every vision transformer)"
        ),
        weight_decay=(
            "code base tue-mps/benchmark-vfm-ss (one recipe for every vision transformer)"
        ),
        feature_layers="inferred: as for the other ViT-L",
    ),
)
backbone = dict(
    type="TimmEncoder",
    model="vit_large_patch16_dinov3",
    pretrained="lvd1689m",
    feature_layers=(7, 11, 15, 23),
)
channels = (1024, 1024, 1024, 1024)
learning_rate = dict(encoder=1e-5, decoder=1e-4)
weight_decay = 0.05
decay_free = ("norm", "position", "token", "scale")
# A pyramid's output is no pre-trained feature, and the papers' weight does not suit its scale.
feature_distance = None

"""DINOv2-B/14, self-supervised on images alone."""

card = dict(
    title="DINOv2-B/14",
    summary="Self-supervised vision transformer; no language in its training.",
    family="vision transformer, self-supervised",
    pretraining="DINOv2 on LVD-142M (distilled from ViT-g)",
    licence="Apache-2.0 (facebookresearch/dinov2)",
    paper="Oquab et al., DINOv2: Learning Robust Visual Features without Supervision, TMLR 2024",
    url="https://arxiv.org/abs/2304.07193",
    exposure=(
        "likely: the paper (appendix, table 15) lists street-scene sets, Cityscapes among "
        "them, around which LVD-142M was retrieved"
    ),
    parameters_m=93.7,  # with the pyramid
    gmacs={512: 171.0, 1024: 1098.1},
    image_statistics=dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    provenance=dict(
        learning_rate=(
            "code base tue-mps/benchmark-vfm-ss (one recipe for every vision transformer)"
        ),
        weight_decay=(
            "code base tue-mps/benchmark-vfm-ss (one recipe for every vision transformer)"
        ),
        feature_layers="inferred: quarters of the depth",
        patch_fit="inferred: w1oves/Rein resamples to patches of 16",
    ),
)
backbone = dict(
    type="TimmEncoder",
    model="vit_base_patch14_dinov2",
    pretrained="lvd142m",
    feature_layers=(2, 5, 8, 11),
    patch_fit="pad",
)
channels = (768, 768, 768, 768)
learning_rate = dict(encoder=1e-5, decoder=1e-4)
weight_decay = 0.05
decay_free = ("norm", "position", "token", "scale")
# A pyramid's output is no pre-trained feature, and the papers' weight does not suit its scale.
feature_distance = None

"""DINOv2-L/14, self-supervised on images alone."""

card = dict(
    title="DINOv2-L/14",
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
    parameters_m=317.0,  # with the pyramid
    gmacs={512: 541.3, 1024: 3269.5},
    image_statistics=dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    provenance=dict(
        learning_rate=(
            "code base tue-mps/benchmark-vfm-ss (one recipe for every vision transformer)"
        ),
        weight_decay=(
            "code base tue-mps/benchmark-vfm-ss (one recipe for every vision transformer)"
        ),
        feature_layers="code base w1oves/Rein",
        patch_fit="inferred: w1oves/Rein resamples to patches of 16",
    ),
)
backbone = dict(
    type="TimmEncoder",
    model="vit_large_patch14_dinov2",
    pretrained="lvd142m",
    feature_layers=(7, 11, 15, 23),
    patch_fit="pad",
)
channels = (1024, 1024, 1024, 1024)
learning_rate = dict(encoder=1e-5, decoder=1e-4)
weight_decay = 0.05
decay_free = ("norm", "position", "token", "scale")
# A pyramid's output is no pre-trained feature, and the papers' weight does not suit its scale.
feature_distance = None

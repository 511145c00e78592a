"""ConvNeXt-L trained as CLIP: a convolutional vision-language encoder."""

card = dict(
    title="ConvNeXt-CLIP-L",
    summary="Image tower of convnext_large_d_320; strides 4 to 32 without a pyramid.",
    family="convolutional, vision-language",
    pretraining="CLIP on LAION-2B (29 B samples, soup of fine-tuned weights at 320 px)",
    licence="MIT (open_clip)",
    paper=(
        "Liu et al., A ConvNet for the 2020s, CVPR 2022; weights: Schuhmann et al., "
        "LAION-5B, NeurIPS 2022"
    ),
    url="https://arxiv.org/abs/2201.03545",
    exposure="unknown: images crawled from the web",
    parameters_m=196.2,
    gmacs={512: 179.5, 1024: 718.1},
    image_statistics=dict(mean=(122.771, 116.746, 104.094), std=(68.501, 66.632, 70.323)),
    provenance=dict(
        learning_rate=(
            "inferred: as the other vision-language encoders; yasserben/CLOUDS freezes it"
        ),
        weight_decay="code base yasserben/CLOUDS",
        drop_path_rate="open_clip's own for this model",
    ),
)
backbone = dict(
    type="OpenClipEncoder",
    model="convnext_large_d_320",
    pretrained="laion2b_s29b_b131k_ft_soup",
    drop_path_rate=0.1,
)
channels = (192, 384, 768, 1536)
learning_rate = dict(encoder=1e-5, decoder=1e-4)
weight_decay = 0.05
decay_free = ("norm", "scale")

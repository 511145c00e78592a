"""EVA02-CLIP-B/16, a vision-language encoder."""

card = dict(
    title="EVA02-CLIP-B/16",
    summary="Image tower of EVA02-CLIP (EVA02-B-16), trained to match images and captions.",
    family="vision transformer, vision-language",
    pretraining=(
        "EVA-02 masked image modelling, then CLIP on Merged-2B (1.6 B LAION-2B + 0.4 B COYO "
        "image-text pairs)"
    ),
    licence="MIT (open_clip, EVA-CLIP)",
    paper="Sun et al., EVA-CLIP: Improved Training Techniques for CLIP at Scale, 2023",
    url="https://arxiv.org/abs/2303.15389",
    exposure="unknown: images crawled from the web",
    parameters_m=93.0,  # with the pyramid
    gmacs={512: 121.5, 1024: 717.8},
    image_statistics=dict(mean=(122.771, 116.746, 104.094), std=(68.501, 66.632, 70.323)),
    provenance=dict(
        learning_rate="inferred: as eva02-clip-l14",
        weight_decay="inferred: as eva02-clip-l14",
        feature_layers="inferred: quarters of the depth",
        drop_path_rate="inferred: half of eva02-clip-l14's",
    ),
)
backbone = dict(
    type="EVA02CLIP",
    model="EVA02-B-16",
    pretrained="merged2b_s8b_b131k",
    feature_layers=(2, 5, 8, 11),
    patch_fit="pad",
    drop_path_rate=0.1,
)
channels = (768, 768, 768, 768)
learning_rate = dict(encoder=1e-5, decoder=1e-4)
weight_decay = 0.05
decay_free = ("norm", "position", "token")
# A pyramid's output is no pre-trained feature, and the papers' weight does not suit its scale.
feature_distance = None

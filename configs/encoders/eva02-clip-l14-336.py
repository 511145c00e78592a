"""EVA02-CLIP-L/14 (336 px), a vision-language encoder."""

card = dict(
    title="EVA02-CLIP-L/14 (336 px)",
    summary="Image tower of EVA02-CLIP (EVA02-L-14-336), trained to match images and captions.",
    family="vision transformer, vision-language",
    pretraining=(
        "EVA-02 masked image modelling, then CLIP on Merged-2B (1.6 B LAION-2B + 0.4 B COYO "
        "image-text pairs)"
    ),
    licence="MIT (open_clip, EVA-CLIP)",
    paper="Sun et al., EVA-CLIP: Improved Training Techniques for CLIP at Scale, 2023",
    url="https://arxiv.org/abs/2303.15389",
    exposure="unknown: images crawled from the web",
    parameters_m=316.2,  # with the pyramid
    gmacs={512: 541.2, 1024: 3269.3},
    image_statistics=dict(mean=(122.771, 116.746, 104.094), std=(68.501, 66.632, 70.323)),
    provenance=dict(
        learning_rate="inferred: as eva02-clip-l14, so that the pair differs in the weights only",
        weight_decay="inferred: as eva02-clip-l14, so that the pair differs in the weights only",
        feature_layers=(
            "inferred: as eva02-clip-l14, so that the pair differs in the weights only; "
            "ByeongHyunPak/tqdm takes 7, 11, 15, 23"
        ),
        drop_path_rate=(
            "inferred: as eva02-clip-l14, so that the pair differs in the weights only"
        ),
        patch_fit="inferred: as eva02-clip-l14, so that the pair differs in the weights only",
    ),
)
backbone = dict(
    type="EVA02CLIP",
    model="EVA02-L-14-336",
    pretrained="merged2b_s6b_b61k",
    feature_layers=(9, 14, 19, 23),
    patch_fit="pad",
    drop_path_rate=0.2,
)
channels = (1024, 1024, 1024, 1024)
learning_rate = dict(encoder=1e-5, decoder=1e-4)
weight_decay = 0.05
decay_free = ("norm", "position", "token")
# A pyramid's output is no pre-trained feature, and the papers' weight does not suit its scale.
feature_distance = None

"""EVA02-CLIP-L/14, a vision-language encoder, the one of arXiv 2411.16407."""

card = dict(
    title="EVA02-CLIP-L/14",
    summary="Image tower of EVA02-CLIP (EVA02-L-14), trained to match images and captions.",
    family="vision transformer, vision-language",
    pretraining=(
        "EVA-02 masked image modelling, then CLIP on Merged-2B (1.6 B LAION-2B + 0.4 B COYO "
        "image-text pairs)"
    ),
    licence="MIT (open_clip, EVA-CLIP)",
    paper="Sun et al., EVA-CLIP: Improved Training Techniques for CLIP at Scale, 2023",
    url="https://arxiv.org/abs/2303.15389",
    exposure="unknown: images crawled from the web",
    parameters_m=315.9,  # with the pyramid
    gmacs={512: 541.2, 1024: 3269.3},
    image_statistics=dict(mean=(122.771, 116.746, 104.094), std=(68.501, 66.632, 70.323)),
    provenance=dict(
        learning_rate="code base VLTSeg/VLTSeg; the paper's own is not known",
        weight_decay="code base VLTSeg/VLTSeg",
        feature_layers="code base VLTSeg/VLTSeg",
        drop_path_rate="code base VLTSeg/VLTSeg",
        image_statistics="of the weights; code base VLTSeg/VLTSeg uses those of ImageNet",
        patch_fit="inferred: keeps the patch kernel and the scale of the image",
    ),
)
backbone = dict(
    type="EVA02CLIP",
    model="EVA02-L-14",
    pretrained="merged2b_s4b_b131k",
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

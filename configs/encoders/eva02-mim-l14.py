"""EVA-02-L/14 before its CLIP training: the same architecture without language."""

card = dict(
    title="EVA02-MIM-L/14",
    summary=(
        "EVA-02 pre-trained by masked image modelling alone; where EVA02-CLIP-L/14 started from."
    ),
    family="vision transformer, masked image modelling",
    pretraining="masked image modelling of EVA-CLIP features on Merged-38M",
    licence="MIT (baaivision/EVA)",
    paper="Fang et al., EVA-02: A Visual Representation for Neon Genesis, 2023",
    url="https://arxiv.org/abs/2303.11331",
    exposure=(
        "unknown: Merged-38M joins ImageNet-22k, CC12M, CC3M, COCO, ADE20K, Object365 and "
        "OpenImages"
    ),
    parameters_m=315.9,  # with the pyramid
    gmacs={512: 541.2, 1024: 3269.3},
    image_statistics=dict(mean=(122.771, 116.746, 104.094), std=(68.501, 66.632, 70.323)),
    provenance=dict(
        learning_rate="inferred: as eva02-clip-l14, so that the pair differs in the weights only",
        weight_decay="inferred: as eva02-clip-l14, so that the pair differs in the weights only",
        feature_layers=(
            "inferred: as eva02-clip-l14, so that the pair differs in the weights only"
        ),
        drop_path_rate=(
            "inferred: as eva02-clip-l14, so that the pair differs in the weights only"
        ),
        patch_fit="inferred: as eva02-clip-l14, so that the pair differs in the weights only",
    ),
)
backbone = dict(
    type="TimmEncoder",
    model="eva02_large_patch14_224",
    pretrained="mim_m38m",
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

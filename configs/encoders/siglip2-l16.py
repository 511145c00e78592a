"""SigLIP 2 L/16 at 512 pixels, a vision-language encoder with a sigmoid loss."""

card = dict(
    title="SigLIP2-L/16",
    summary="Image tower of SigLIP 2 (ViT-L-16-SigLIP2-512), captions and dense objectives.",
    family="vision transformer, vision-language",
    pretraining="SigLIP 2 on WebLI (10 B images)",
    licence="Apache-2.0 (google-research/big_vision)",
    paper="Tschannen et al., SigLIP 2: Multilingual Vision-Language Encoders, 2025",
    url="https://arxiv.org/abs/2502.14786",
    exposure="unknown: images crawled from the web",
    parameters_m=316.7,  # with the pyramid
    gmacs={512: 387.4, 1024: 2167.9},
    image_statistics=dict(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
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
    type="OpenClipEncoder",
    model="ViT-L-16-SigLIP2-512",
    pretrained="webli",
    feature_layers=(7, 11, 15, 23),
)
channels = (1024, 1024, 1024, 1024)
learning_rate = dict(encoder=1e-5, decoder=1e-4)
weight_decay = 0.05
decay_free = ("norm", "position", "token")
# A pyramid's output is no pre-trained feature, and the papers' weight does not suit its scale.
feature_distance = None

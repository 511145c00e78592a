"""CLIP ViT-B/16, the original vision-language encoder."""

card = dict(
    title="CLIP ViT-B/16",
    summary="Image tower of OpenAI's CLIP (ViT-B-16), trained to match images and captions.",
    family="vision transformer, vision-language",
    pretraining="CLIP on 400 M image-text pairs (WIT-400M)",
    licence="MIT (openai/CLIP)",
    paper=(
        "Radford et al., Learning Transferable Visual Models From Natural Language "
        "Supervision, ICML 2021"
    ),
    url="https://arxiv.org/abs/2103.00020",
    exposure="unknown: images crawled from the web",
    parameters_m=92.9,  # with the pyramid
    gmacs={512: 121.5, 1024: 717.8},
    image_statistics=dict(mean=(122.771, 116.746, 104.094), std=(68.501, 66.632, 70.323)),
    provenance=dict(
        learning_rate=(
            "code base tue-mps/benchmark-vfm-ss (one recipe for every vision transformer)"
        ),
        weight_decay=(
            "code base tue-mps/benchmark-vfm-ss (one recipe for every vision transformer)"
        ),
        feature_layers="code base ByeongHyunPak/tqdm",
    ),
)
backbone = dict(
    type="OpenClipEncoder",
    model="ViT-B-16",
    pretrained="openai",
    feature_layers=(3, 5, 7, 11),
    patch_fit="pad",
)
channels = (768, 768, 768, 768)
learning_rate = dict(encoder=1e-5, decoder=1e-4)
weight_decay = 0.05
decay_free = ("norm", "position", "token")
# A pyramid's output is no pre-trained feature, and the papers' weight does not suit its scale.
feature_distance = None

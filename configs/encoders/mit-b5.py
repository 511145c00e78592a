"""MiT-B5 (SegFormer), the transformer encoder of the study with ImageNet weights."""

card = dict(
    title="MiT-B5",
    summary="Hierarchical transformer of SegFormer, pre-trained on ImageNet-1k classification.",
    family="hierarchical vision transformer",
    pretraining="ImageNet-1k, supervised classification (mit_b5.pth)",
    licence="NVIDIA Source Code License, non-commercial (NVlabs/SegFormer)",
    paper=(
        "Xie et al., SegFormer: Simple and Efficient Design for Semantic Segmentation with "
        "Transformers, NeurIPS 2021"
    ),
    url="https://arxiv.org/abs/2105.15203",
    exposure="none known: object photographs",
    parameters_m=81.4,
    gmacs={512: 69.4, 1024: 399.2},
    image_statistics=dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    provenance=dict(
        learning_rate="code base lhoyer/DAFormer (experiments.py)",
        weight_decay="code base lhoyer/DAFormer (experiments.py)",
        drop_path_rate="code base lhoyer/DAFormer (experiments.py)",
    ),
)
backbone = dict(
    type="MixTransformer",
    variant="b5",
    pretrained="imagenet",
    drop_path_rate=0.1,
)
channels = (64, 128, 320, 512)
learning_rate = dict(encoder=6e-5, decoder=6e-4)
weight_decay = 0.01
decay_free = ("norm",)
decoder_decay_free = ()  # DAFormer's rule for norms does not meet those of its decoder

"""FDA with one band, in the paper's constants."""

card = dict(
    title="FDA",
    summary="Source images with the low-frequency amplitudes of target images, and the entropy of "
    "target predictions.",
    role="uda",
    paper="Yang and Soatto, FDA: Fourier Domain Adaptation for Semantic Segmentation, CVPR 2020",
    year=2020,
    url="https://arxiv.org/abs/2004.05498",
    target_images=True,
    target_labels=False,
)
model = dict(type="FDA", beta=0.01, entropy_weight=0.005, eta=2.0)

"""MinEnt: entropy minimisation without a discriminator, from the paper of ADVENT."""

card = dict(
    title="MinEnt",
    summary="Minimises the entropy of target predictions directly.",
    role="uda",
    paper="Vu et al., ADVENT: Adversarial Entropy Minimization for Domain Adaptation in Semantic "
    "Segmentation, CVPR 2019",
    year=2019,
    url="https://arxiv.org/abs/1811.12833",
    target_images=True,
    target_labels=False,
)
model = dict(type="MinEnt", weight=0.001)

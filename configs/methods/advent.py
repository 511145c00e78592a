"""ADVENT: AdaptSegNet with self-information for softmax maps, and not one constant changed."""

card = dict(
    title="ADVENT",
    summary="A discriminator on self-information maps; target predictions become as certain as "
    "source ones.",
    role="uda",
    paper="Vu et al., ADVENT: Adversarial Entropy Minimization for Domain Adaptation in Semantic "
    "Segmentation, CVPR 2019",
    year=2019,
    url="https://arxiv.org/abs/1811.12833",
    target_images=True,
    target_labels=False,
)
model = dict(
    type="ADVENT",
    adversary=dict(gan_loss="bce", weight=0.001),
    discriminator=dict(ndf=64, layers=5),
)
# Trained beside the student: by which optimizer, and the power of its decay to 0.
optimizers = dict(
    discriminator=dict(optimizer=dict(type="Adam", lr=1e-4, betas=(0.9, 0.99)), power=0.9),
)

"""AdaptSegNet on one level with the original's constants and the benchmark's student.

The original's other variants: ``adversary=dict(gan_loss="ls", weight=0.01)`` (least squares),
``auxiliary`` with a two-level student, ``loss_denominator="valid_pixels"``.
"""

card = dict(
    title="AdaptSegNet",
    summary="A discriminator on softmax maps; the student makes target maps look like source.",
    role="uda",
    paper="Tsai et al., Learning to Adapt Structured Output Space for Semantic Segmentation, "
    "CVPR 2018",
    year=2018,
    url="https://arxiv.org/abs/1802.10349",
    target_images=True,
    target_labels=False,
)
model = dict(
    type="AdaptSegNet",
    adversary=dict(gan_loss="bce", weight=0.001),
    discriminator=dict(ndf=64, layers=5),
)
# Trained beside the student: by which optimizer, and the power of its decay to 0.
optimizers = dict(
    discriminator=dict(optimizer=dict(type="Adam", lr=1e-4, betas=(0.9, 0.99)), power=0.9),
)

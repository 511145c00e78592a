"""Training on the source domain alone: what every UDA method has to beat."""

card = dict(
    title="Source-only",
    summary="Supervised training on source labels; the target is never seen.",
    role="baseline",
    target_images=False,
    target_labels=False,
)
model = dict(type="Supervised", strong_augmentation=None)
# The DAFormer code base distorts the colours of its supervised baselines' images, and of no others.
photometric = True

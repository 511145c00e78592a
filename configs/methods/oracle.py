"""Supervised training on the target domain: the upper reference, not a UDA method."""

card = dict(
    title="Oracle",
    summary="Supervised training on target labels; an upper reference, no UDA method.",
    role="oracle",
    target_images=False,
    target_labels=True,
)
model = dict(type="Supervised", strong_augmentation=None)
# The DAFormer code base distorts the colours of its supervised baselines' images, and of no others.
photometric = True

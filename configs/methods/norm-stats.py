"""Source-only whose normalisation layers also see target images: a control few tables have."""

card = dict(
    title="Norm-stats",
    summary="Source-only plus target images through the normalisation layers, without a loss.",
    role="control",
    target_images=True,
    target_labels=False,
)
model = dict(type="NormStats")

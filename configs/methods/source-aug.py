"""Source-only with the augmentation of self-training: the control most UDA tables leave out."""

card = dict(
    title="Source-aug",
    summary="Source-only plus the colour jitter and blur that DACS applies to its mixed images.",
    role="control",
    target_images=False,
    target_labels=False,
)
model = dict(
    type="Supervised",
    strong_augmentation=dict(
        strength=0.2, jitter_probability=0.8, blur_probability=0.5, shared_order=False
    ),
)

"""Cityscapes-C: validation frames of Cityscapes under synthetic corruptions."""

card = dict(
    title="Cityscapes-C",
    short="CS-C",
    summary="Every tenth validation frame of Cityscapes under 16 corruptions at 5 severities.",
    notes="4,000 images a cell, corrupted while they are read: 0.4 s of one core each, half an "
    "hour in all, beside what scoring eight times the 500 frames of Cityscapes takes.",
)
custom_imports = dict(imports=["mmseg_ext.datasets.corrupted_domain"])
reader = "files"
dataset = "cityscapes"
label_map = "default"
train = None  # scored alone
test = dict(split="val")
counts = dict(test=500)
# The sixteen of Kamann and Rother (arXiv 1908.05005) that are of Hendrycks and Dietterich's
# (arXiv 1903.12261): twelve of the fifteen and the four kept for validation. Zoom blur, elastic
# transform and pixelate, left out, move pixels away from their labels.
corrupted = dict(
    corruptions=(
        *("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"),
        *("motion_blur", "defocus_blur", "glass_blur", "gaussian_blur"),
        *("snow", "frost", "fog", "spatter"),
        *("brightness", "contrast", "saturate", "jpeg_compression"),
    ),
    severities=(1, 2, 3, 4, 5),
    every=10,
)

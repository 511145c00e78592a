"""Scoring as in VFM-UDA: images and labels with a shorter side of 1024 pixels."""

card = dict(
    title="VFM-UDA",
    summary="Shorter side 1024, windows of 1024 by steps of 512, labels resized to the images.",
    url="https://github.com/tue-mps/vfm-uda",
    paper="Englert et al., Exploring the Benefits of Vision Foundation Models for Unsupervised "
    "Domain Adaptation, CVPR Workshops 2024",
    notes="Numbers do not compare with those at native labels. The longer side is rounded here, "
    "and cut to whole pixels there: a difference of one pixel at most.",
)
mode = "slide"
crop_size = (1024, 1024)
stride = (512, 512)
window_average = "probabilities"
batch_size = 1
scale = dict(short_side=1024)
ground_truth = "network"
mean = "pooled"

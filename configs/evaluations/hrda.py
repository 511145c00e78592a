"""Scoring as in the HRDA and MIC code bases: full size, overlapping windows of 1024x1024."""

card = dict(
    title="HRDA",
    summary="Images at full size, windows of 1024 pixels by steps of 512, labels at native size.",
    url="https://github.com/lhoyer/HRDA",
    paper="Hoyer et al., HRDA, ECCV 2022; MIC, CVPR 2023",
    notes="BDD100K and Mapillary Vistas are bound like Cityscapes, as its branch for domain "
    "generalization shares the configuration; other data sets likewise (inferred).",
)
mode = "slide"
crop_size = (1024, 1024)
stride = (512, 512)
batch_size = 1
scale = (2048, 1024)
_adverse = (1920, 1080)
scales = {
    "acdc": _adverse,
    "acdc-reference": _adverse,
    "dark-zurich": _adverse,
    "nighttime-driving": _adverse,
}
ground_truth = "native"
mean = "pooled"

"""Scoring as in VLTSeg after training on real sources: full-size images."""

card = dict(
    title="VLTSeg (real source)",
    summary="Images at full size in windows, labels at native size.",
    url="https://github.com/VLTSeg/VLTSeg",
    paper="Huemmer et al., VLTSeg, ACCV 2024",
    notes="Windows are those of `vltseg` with all lengths doubled (inferred); Dark Zurich and "
    "data sets that it does not score are bound like ACDC and Cityscapes (inferred).",
)
mode = "slide"
crop_size = (1024, 1024)
stride = (852, 852)
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

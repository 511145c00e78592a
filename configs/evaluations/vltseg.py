"""Scoring as in VLTSeg after training on synthetic sources: half-size images."""

card = dict(
    title="VLTSeg (synthetic source)",
    summary="Half-size images, windows of 512 pixels by steps of 426, labels at native size.",
    url="https://github.com/VLTSeg/VLTSeg",
    paper="Huemmer et al., VLTSeg, ACCV 2024",
    notes="Dark Zurich and data sets that it does not score are bound as in `daformer` (inferred).",
)
mode = "slide"
crop_size = (512, 512)
stride = (426, 426)
batch_size = 1
scale = (1024, 512)
_adverse = (960, 540)
scales = {
    "acdc": _adverse,
    "acdc-reference": _adverse,
    "dark-zurich": _adverse,
    "nighttime-driving": _adverse,
}
ground_truth = "native"
mean = "pooled"

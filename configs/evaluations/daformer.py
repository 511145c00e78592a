"""Scoring as in the DAFormer code base: half-size images, logits brought to the labels' size."""

card = dict(
    title="DAFormer",
    summary="Whole images at half size; logits are brought to the size of the labels.",
    url="https://github.com/lhoyer/DAFormer",
    paper="Hoyer et al., DAFormer, CVPR 2022",
    notes="Its code base scores Cityscapes, ACDC and Dark Zurich; other data sets are bound like "
    "Cityscapes here (inferred), ACDC's references and Nighttime Driving like ACDC.",
)
mode = "whole"
batch_size = 1
scale = (1024, 512)  # longest and shortest side at most
_adverse = (960, 540)
scales = {
    "acdc": _adverse,
    "acdc-reference": _adverse,
    "dark-zurich": _adverse,
    "nighttime-driving": _adverse,
}
ground_truth = "native"
mean = "pooled"  # as the server of ACDC does it

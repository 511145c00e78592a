"""Scoring as in REIN with crops of 512: Mapillary Vistas is scored at half its size."""

card = dict(
    title="REIN (512)",
    summary="Windows of 512 pixels by steps of 341; Mapillary's images and labels are halved.",
    url="https://github.com/w1oves/Rein",
    paper="Wei et al., Stronger, Fewer, & Superior, CVPR 2024",
    notes="Mapillary numbers do not compare with those at native size. Its halved images are "
    "stored as JPEG once more, which is not repeated here. ACDC is reported by condition, and "
    "here the headline is their mean (inferred). Other data sets are bound like Cityscapes, "
    "Dark Zurich like ACDC (inferred).",
)
mode = "slide"
crop_size = (512, 512)
stride = (341, 341)
batch_size = 1
scale = (1024, 512)
_adverse = (960, 540)
scales = {
    "bdd100k": (1280, 720),
    "acdc": _adverse,
    "acdc-reference": _adverse,
    "dark-zurich": _adverse,
    "nighttime-driving": _adverse,
}
ground_truth = "native"
ground_truths = {"mapillary-v1.2": "half", "mapillary-v2.0": "half"}
mean = "per-condition"

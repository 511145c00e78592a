"""Scoring as in tqdm: full-size images in windows of 512x512."""

card = dict(
    title="tqdm",
    summary="Images at full size, windows of 512 pixels by steps of 341, labels at native size.",
    url="https://github.com/ByeongHyunPak/tqdm",
    paper="Pak et al., Textual Query-Driven Mask Transformer for Domain Generalized Segmentation, "
    "ECCV 2024",
    notes="It scores Cityscapes, BDD100K and Mapillary Vistas; ACDC and Dark Zurich are scored "
    "at native size here, other data sets are bound like Cityscapes (inferred).",
)
mode = "slide"
crop_size = (512, 512)
stride = (341, 341)
batch_size = 1
scale = (2048, 1024)
_adverse = (1920, 1080)
scales = {
    "bdd100k": (1280, 720),
    "acdc": _adverse,
    "acdc-reference": _adverse,
    "dark-zurich": _adverse,
    "nighttime-driving": _adverse,
}
ground_truth = "native"
mean = "pooled"

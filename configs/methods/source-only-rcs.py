"""Source-only on the data path of DAFormer: rare-class sampling, but no target and no target loss.

MIC's code has the same control (lhoyer/MIC, configs/_base_/uda/dacs_srconly.py). What a UDA method
with rare-class sampling gains should also be read against it, not only against source-only.
"""

card = dict(
    title="Source-only (RCS)",
    summary="Source-only with rare-class sampling: images drawn by the classes they show.",
    role="control",
    paper="Hoyer et al., DAFormer: Improving Network Architectures and Training Strategies for "
    "Domain-Adaptive Semantic Segmentation, CVPR 2022",
    year=2022,
    url="https://arxiv.org/abs/2111.14887",
    target_images=False,
    target_labels=False,
    needs=("class statistics of the source",),
)
model = dict(type="Supervised", strong_augmentation=None)
rare_class_sampling = dict(temperature=0.01, min_pixels=3000, min_crop_ratio=0.5, max_redraws=10)

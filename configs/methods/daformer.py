"""DAFormer: DACS with rare-class sampling, feature distance and a slower teacher.

The feature distance may have any encoder of the list as its teacher, with that encoder's weights
and image statistics: ``feature_distance=dict(teacher=dict(encoder="dinov2-b14"), ...)``.
"""

card = dict(
    title="DAFormer",
    summary="DACS plus rare-class sampling and a feature distance to the initial encoder.",
    role="uda",
    paper="Hoyer et al., DAFormer: Improving Network Architectures and Training Strategies for "
    "Domain-Adaptive Semantic Segmentation, CVPR 2022",
    year=2022,
    url="https://arxiv.org/abs/2111.14887",
    target_images=True,
    target_labels=False,
    needs=("class statistics of the source", "pre-trained encoder for the feature distance"),
)
model = dict(
    type="DAFormer",
    teacher=dict(alpha=0.999),
    pseudo_labels=dict(threshold=0.968),
    class_mix=dict(scope="batch"),
    strong_augmentation=dict(
        strength=0.2, jitter_probability=0.8, blur_probability=0.5, shared_order=False
    ),
    feature_distance=dict(teacher="initial", min_ratio=0.75, level=-1, weight=0.005),
    ignored_rows=dict(top=15, bottom=120),  # of 512 rows of Cityscapes: rectification, own car
)
rare_class_sampling = dict(temperature=0.01, min_pixels=3000, min_crop_ratio=0.5, max_redraws=10)

"""MIC on HRDA, for crops of 1024x1024: the paper's main variant."""

card = dict(
    title="MIC (HRDA)",
    summary="HRDA plus consistency of masked target images with the teacher's whole view.",
    role="uda",
    paper="Hoyer et al., MIC: Masked Image Consistency for Context-Enhanced Domain Adaptation, "
    "CVPR 2023",
    year=2023,
    url="https://arxiv.org/abs/2212.01322",
    target_images=True,
    target_labels=False,
    needs=(
        "class statistics of the source",
        "pre-trained encoder for the feature distance",
        "crops of 1024x1024 at full resolution",
    ),
)
model = dict(
    type="MIC",
    segmentor=dict(
        type="HRDASegmentor",
        detail_size=(512, 512),
        detail_share=0.1,
        test_cfg=dict(mode="slide", crop_size=(1024, 1024), stride=(512, 512)),
        scale_attention=dict(classwise=True),
    ),
    masking=dict(kind="block", size=64, ratio=0.7),
    mask_augmentation=dict(
        strength=0.2, jitter_probability=0.8, blur_probability=0.5, shared_sigma=True
    ),
    masked_images="target",
    masked_weight=1.0,
    teacher=dict(alpha=0.999),
    pseudo_labels=dict(threshold=0.968),
    class_mix=dict(scope="batch"),
    strong_augmentation=dict(
        strength=0.2, jitter_probability=0.8, blur_probability=0.5, shared_order=False
    ),
    feature_distance=dict(teacher="initial", min_ratio=0.75, level=-1, weight=0.005),
    ignored_rows=None,
)
valid_margins = True
# A crop has four times the pixels of DAFormer's, so does the least number of a class in it.
rare_class_sampling = dict(temperature=0.01, min_pixels=3000, min_crop_ratio=2.0, max_redraws=10)

"""DACS in the form that DAFormer builds on, with alpha 0.99 and without rare-class sampling."""

card = dict(
    title="DACS",
    summary="Self-training with a mean teacher on source classes pasted onto target images.",
    role="uda",
    paper="Tranheden et al., DACS: Domain Adaptation via Cross-domain Mixed Sampling, WACV 2021",
    year=2021,
    url="https://arxiv.org/abs/2007.08702",
    target_images=True,
    target_labels=False,
)
model = dict(
    type="DACS",
    teacher=dict(alpha=0.99),
    pseudo_labels=dict(threshold=0.968),
    class_mix=dict(scope="batch"),
    strong_augmentation=dict(
        strength=0.2, jitter_probability=0.8, blur_probability=0.5, shared_order=False
    ),
)

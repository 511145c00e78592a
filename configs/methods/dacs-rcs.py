"""DACS with DAFormer's rare-class sampling of the source."""

based_on = "dacs"
card = dict(
    title="DACS, RCS",
    summary="DACS whose source images are drawn by rare classes.",
)
rare_class_sampling = dict(temperature=0.01, min_pixels=3000, min_crop_ratio=0.5, max_redraws=10)
adds = ("rare_class_sampling",)

"""DAFormer without rare-class sampling and feature distance: what is left beside DACS."""

based_on = "daformer-fd-off"
card = dict(
    title="DAFormer, no FD, no RCS",
    summary="DACS with DAFormer's slower teacher and ignored rows, and nothing else of DAFormer.",
)
rare_class_sampling = None

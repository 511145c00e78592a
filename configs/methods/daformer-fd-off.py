"""DAFormer without the feature distance."""

based_on = "daformer"
card = dict(
    title="DAFormer, no FD",
    summary="DAFormer without the feature distance; rare-class sampling stays.",
)
model = dict(feature_distance=None)

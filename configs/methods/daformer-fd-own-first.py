"""The feature distance at the first of the encoder's four levels."""

based_on = "daformer-fd-own"
card = dict(
    title="DAFormer, FD own, first level",
    summary="Feature distance of the first of four levels to the encoder's own initial weights.",
)
model = dict(feature_distance=dict(level=0))

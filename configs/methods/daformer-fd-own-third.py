"""The feature distance at the third of the encoder's four levels."""

based_on = "daformer-fd-own"
card = dict(
    title="DAFormer, FD own, third level",
    summary="Feature distance of the third of four levels to the encoder's own initial weights.",
)
model = dict(feature_distance=dict(level=2))

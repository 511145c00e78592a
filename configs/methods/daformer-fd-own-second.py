"""The feature distance at the second of the encoder's four levels."""

based_on = "daformer-fd-own"
card = dict(
    title="DAFormer, FD own, second level",
    summary="Feature distance of the second of four levels to the encoder's own initial weights.",
)
model = dict(feature_distance=dict(level=1))

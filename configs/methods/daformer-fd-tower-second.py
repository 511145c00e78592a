"""The feature distance of the second of the four blocks that feed the pyramid."""

based_on = "daformer-fd-tower"
card = dict(
    title="DAFormer, FD own, tower, second block",
    summary="Feature distance of the second of the tower's four blocks to its own initial weights.",
)
model = dict(feature_distance=dict(level=1))

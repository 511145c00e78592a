"""The feature distance to DINOv2 after normalising each cell's channels."""

based_on = "daformer-fd-dinov2"
card = dict(
    title="DAFormer, FD DINOv2, tower, normalised",
    summary="Feature distance to DINOv2-L after normalising each cell's channels: scales play no "
    "part.",
)
model = dict(feature_distance=dict(channel_norm=True))
adds = ("model.feature_distance.channel_norm",)

"""The tower's feature distance after normalising each cell's channels."""

based_on = "daformer-fd-tower"
card = dict(
    title="DAFormer, FD own, tower, normalised",
    summary="Feature distance of the tower's last block after normalising each cell's channels.",
)
model = dict(feature_distance=dict(channel_norm=True))
adds = ("model.feature_distance.channel_norm",)

"""The feature distance of features that every cell normalises over its channels."""

based_on = "daformer-fd-own"
card = dict(
    title="DAFormer, FD own, normalised",
    summary="Feature distance of the last level after normalising each cell's channels.",
)
model = dict(feature_distance=dict(channel_norm=True))
adds = ("model.feature_distance.channel_norm",)

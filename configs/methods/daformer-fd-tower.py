"""The feature distance of a transformer's own blocks, below its pyramid.

The pyramid starts from random weights, so its levels are no pre-trained features; the tower's are.
Its grid has to divide the crop: patches of 16, not of 14, in 512 pixels.
"""

based_on = "daformer-fd-own"
card = dict(
    title="DAFormer, FD own, tower",
    summary="Feature distance of the tower's last block to its own initial weights.",
)
model = dict(feature_distance=dict(features="tower"))
adds = ("model.feature_distance.features",)

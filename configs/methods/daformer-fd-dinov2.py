"""The feature distance to DINOv2."""

based_on = "daformer-fd-tower"
card = dict(
    title="DAFormer, FD DINOv2, tower",
    summary="Feature distance of the tower's last block to that of DINOv2-L.",
)
model = dict(feature_distance=dict(teacher=dict(encoder="dinov2-l14-p16")))

"""The feature distance to a network that ImageNet classification has tuned.

The literal reading of an ImageNet teacher beside EVA02-CLIP: the same architecture (but for a norm
inside its attention), so that channels and grid agree.
"""

based_on = "daformer-fd-tower"
card = dict(
    title="DAFormer, FD ImageNet, tower",
    summary="Feature distance of the tower's last block to an EVA-02-L tuned on ImageNet "
    "classification.",
)
model = dict(feature_distance=dict(teacher=dict(encoder="eva02-in1k-l14-p16")))

"""DAFormer with its feature distance whatever the encoder asks for.

With MiT-B5 this is DAFormer itself.
"""

based_on = "daformer"
card = dict(
    title="DAFormer, FD own",
    summary="Feature distance of the last level to the encoder's own initial weights, with every "
    "encoder.",
)
insists_on_feature_distance = True
adds = ("insists_on_feature_distance",)

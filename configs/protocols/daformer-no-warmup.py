"""The protocol of DAFormer without its warm-up of the learning rate."""

based_on = "daformer"
card = dict(
    title="DAFormer, no warm-up",
    summary="As daformer, at the full learning rate from the first iteration.",
)
schedule = dict(warmup_iterations=0, warmup_factor=1.0)

"""DACS, to be followed with a protocol that has no warm-up.

A suite pairs a method with its protocol, so this one differs by its name alone.
"""

based_on = "dacs"
card = dict(
    title="DACS, no warm-up",
    summary="DACS at the full learning rate from the first iteration (with the protocol daformer- "
    "no-warmup).",
)

"""DACS, to be followed with a protocol that has no warm-up.

A suite pairs a method with its protocol, so this one differs by its name alone.
"""

based_on = "dacs"
card = dict(
    title="DACS, no warm-up",
    summary="DACS for a protocol without warm-up: the full learning rate from the first step.",
)

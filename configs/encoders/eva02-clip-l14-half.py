"""EVA02-CLIP-L/14 of which the first half stays as it is."""

based_on = "eva02-clip-l14"
card = dict(
    title="EVA02-CLIP-L/14, half frozen",
    summary="EVA02-CLIP-L/14 with its first 12 of 24 blocks frozen.",
)
backbone = dict(frozen=12)
adds = ("backbone.frozen",)

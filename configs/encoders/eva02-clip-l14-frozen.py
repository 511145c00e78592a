"""EVA02-CLIP-L/14 that stays as it is; pyramid and decoder learn."""

based_on = "eva02-clip-l14"
card = dict(
    title="EVA02-CLIP-L/14, frozen",
    summary="EVA02-CLIP-L/14 with a frozen tower; its pyramid and the decoder are trained.",
)
backbone = dict(frozen="all")
adds = ("backbone.frozen",)

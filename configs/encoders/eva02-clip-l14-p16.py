"""EVA02-CLIP-L/14 with its patch kernel resampled to 16 pixels."""

based_on = "eva02-clip-l14"
card = dict(
    title="EVA02-CLIP-L/14 at 16",
    summary="EVA02-CLIP-L/14 with patches resampled to 16 pixels, whose grid divides crops of 512.",
    parameters_m=316.1,  # with the pyramid
    gmacs={512: 387.7, 1024: 2168.4},
    provenance=dict(patch_fit="code base w1oves/Rein resamples a CLIP ViT-L/14 to 16"),
)
backbone = dict(patch_fit="resample")

"""DINOv2-L/14 with its patch kernel resampled to 16 pixels: a teacher on a grid of 16."""

based_on = "dinov2-l14"
card = dict(
    title="DINOv2-L/14 at 16",
    summary="DINOv2-L/14 with patches resampled to 16 pixels, whose grid divides crops of 512.",
    parameters_m=317.1,  # with the pyramid
    gmacs={512: 387.8, 1024: 2168.6},
    provenance=dict(patch_fit="code base w1oves/Rein"),
)
backbone = dict(patch_fit="resample")

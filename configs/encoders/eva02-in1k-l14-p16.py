"""EVA-02-L/14 tuned on ImageNet classification, with patches of 16 pixels: a teacher."""

based_on = "eva02-mim-l14"
card = dict(
    title="EVA02-IN1k-L/14 at 16",
    summary="EVA-02-L/14 tuned on ImageNet-22k and 1k classification, patches resampled to 16 "
    "pixels.",
    family="vision transformer, supervised",
    pretraining="masked image modelling on Merged-38M, then classification on ImageNet-22k and 1k",
    parameters_m=316.8,  # with the pyramid
    gmacs={512: 387.7, 1024: 2168.4},
    provenance=dict(patch_fit="inferred: the grid of the student that it teaches"),
)
backbone = dict(
    model="eva02_large_patch14_448", pretrained="mim_m38m_ft_in22k_in1k", patch_fit="resample"
)

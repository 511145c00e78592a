"""EVA02-CLIP-L/14 with a learning rate that falls from block to block towards the input."""

based_on = "eva02-clip-l14"
card = dict(
    title="EVA02-CLIP-L/14, layer decay",
    summary="EVA02-CLIP-L/14 whose learning rate falls by 0.9 a block towards the input.",
    provenance=dict(layer_decay="code base baaivision/EVA (EVA-02-L), tue-mps/vfm-uda-plusplus"),
)
learning_rate = dict(layer_decay=0.9)
adds = ("learning_rate.layer_decay",)

"""SYNTHIA-RAND-CITYSCAPES, all frames."""

card = dict(
    title="SYNTHIA",
    short="SYNTHIA",
    summary="All frames of SYNTHIA-RAND-CITYSCAPES; a labelled source with 16 of the 19 classes.",
)
reader = "files"
dataset = "synthia"
label_map = "default"
train = {}  # every frame, as in the UDA papers
test = None
counts = dict(train=9400)

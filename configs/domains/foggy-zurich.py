"""Foggy Zurich: light and medium fog to adapt to, dense fog to score on."""

card = dict(
    title="Foggy Zurich",
    short="FZ",
    summary="Zurich in fog; unlabelled training frames, the 40 frames of testv2 for scoring.",
)
reader = "files"
dataset = "foggy-zurich"
label_map = "default"
# Not the other frames: near duplicates of the test frames are among them.
train = dict(split=("light", "medium"))
test = dict(split="testv2")
counts = dict(train=3054, test=40)
unlabelled_splits = ("train",)

"""Nighttime Driving, for evaluation only."""

card = dict(
    title="Nighttime Driving",
    short="ND",
    summary="50 night frames with coarse labels, for scoring.",
)
reader = "files"
dataset = "nighttime-driving"
label_map = "default"
train = None
test = dict(split="test")
counts = dict(test=50)

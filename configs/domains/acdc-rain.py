"""ACDC, rain only."""

card = dict(
    title="ACDC rain",
    short="ACDC-Rain",
    summary="The frames of ACDC taken in rain; the 100 validation frames for scoring.",
)
reader = "files"
dataset = "acdc"
label_map = "default"
train = dict(split="train", condition="rain")
test = dict(split="val", condition="rain")
counts = dict(train=400, test=100)

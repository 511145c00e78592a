"""ACDC, fog only."""

card = dict(
    title="ACDC fog",
    short="ACDC-Fog",
    summary="The frames of ACDC taken in fog; the 100 validation frames for scoring.",
)
reader = "files"
dataset = "acdc"
label_map = "default"
train = dict(split="train", condition="fog")
test = dict(split="val", condition="fog")
counts = dict(train=400, test=100)

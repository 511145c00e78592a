"""ACDC, snow only."""

card = dict(
    title="ACDC snow",
    short="ACDC-Snow",
    summary="The frames of ACDC taken in snow; the 100 validation frames for scoring.",
)
reader = "files"
dataset = "acdc"
label_map = "default"
train = dict(split="train", condition="snow")
test = dict(split="val", condition="snow")
counts = dict(train=400, test=100)

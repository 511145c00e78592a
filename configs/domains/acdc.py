"""ACDC, all four adverse conditions."""

card = dict(
    title="ACDC",
    short="ACDC",
    summary="Fog, night, rain and snow; the 406 validation frames for scoring, also by condition.",
)
reader = "files"
dataset = "acdc"
label_map = "default"
train = dict(split="train")
test = dict(split="val")
counts = dict(train=1600, test=406)
group = "condition"

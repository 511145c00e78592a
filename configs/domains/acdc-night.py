"""ACDC, night only."""

card = dict(
    title="ACDC night",
    short="ACDC-Night",
    summary="The frames of ACDC taken at night; the 106 validation frames for scoring.",
)
reader = "files"
dataset = "acdc"
label_map = "default"
train = dict(split="train", condition="night")
test = dict(split="val", condition="night")
counts = dict(train=400, test=106)

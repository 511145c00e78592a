"""Cityscapes: training frames to adapt to, validation frames to score on."""

card = dict(
    title="Cityscapes",
    short="CS",
    summary="Training frames for adaptation, the 500 validation frames for scoring.",
)
reader = "files"
dataset = "cityscapes"
label_map = "default"
train = dict(split="train")
test = dict(split="val")
counts = dict(train=2975, test=500)
# Rectification at the borders and the hood of the own car.
valid_margins = dict(top=30, bottom=240, left=30, right=30, native_size=(1024, 2048))

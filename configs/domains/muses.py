"""MUSES, all weathers by day and night."""

card = dict(
    title="MUSES",
    short="MUSES",
    summary="Four weathers by day and night; 250 validation frames for scoring, also by condition.",
)
reader = "files"
dataset = "muses"
label_map = "default"
train = dict(split="train")
test = dict(split="val")
counts = dict(train=1500, test=250)
group = "condition"

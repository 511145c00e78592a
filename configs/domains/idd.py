"""IDD, part I."""

card = dict(
    title="IDD",
    short="IDD",
    summary="Streets in India; the 981 validation frames for scoring.",
)
reader = "files"
dataset = "idd"
label_map = "default"
train = dict(split="train")
test = dict(split="val")
counts = dict(train=6993, test=981)

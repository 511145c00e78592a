"""BDD100K, the frames with semantic labels."""

card = dict(
    title="BDD100K",
    short="BDD",
    summary="Streets of the United States, day and night; 1,000 validation frames for scoring.",
)
reader = "files"
dataset = "bdd100k"
label_map = "default"
train = dict(split="train")
test = dict(split="val")
counts = dict(train=7000, test=1000)

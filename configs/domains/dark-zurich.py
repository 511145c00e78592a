"""Dark Zurich: night frames to adapt to, 50 labelled ones to score on."""

card = dict(
    title="Dark Zurich",
    short="DZ",
    summary="Zurich at night; unlabelled training frames, 50 validation frames for scoring.",
)
reader = "files"
dataset = "dark-zurich"
label_map = "default"
train = dict(split="train", light="night")
test = dict(split="val", light="night")
counts = dict(train=2416, test=50)
unlabelled_splits = ("train",)

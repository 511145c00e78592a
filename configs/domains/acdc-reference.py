"""ACDC's reference images: the places of its adverse images, in clear weather by day."""

card = dict(
    title="ACDC reference",
    short="ACDC-Ref",
    summary="Clear-weather counterparts of ACDC; those that have labels.",
)
reader = "files"
dataset = "acdc-reference"
label_map = "default"
train = dict(split="train_ref")
test = dict(split="val_ref")
# Published is the number of labelled ones in both splits together: 1,003.
counts = {}
partly_labelled = True

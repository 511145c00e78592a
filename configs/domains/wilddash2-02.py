"""WildDash 2 from the earlier package wd_public_02, for evaluation only."""

card = dict(
    title="WildDash 2 (02)",
    short="WD2-02",
    summary="The earlier package of WildDash 2, with ids beyond Cityscapes' as VFM-UDA reads them.",
)
reader = "files"
dataset = "wilddash2-02"
label_map = "cityscapes_ids"
train = None
test = {}
counts = dict(test=4256)

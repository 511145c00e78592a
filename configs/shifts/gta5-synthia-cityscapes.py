"""GTA5 and SYNTHIA together to Cityscapes: training draws from the union of both sources."""

based_on = "synthia-cityscapes"  # its target, unseen domains and classes
card = dict(
    title="GTA5 + SYNTHIA -> Cityscapes",
    summary="Two rendered sources as one, to photographed streets; 16 classes that both label.",
    notes=(
        "Every image counts once: 24,964 of GTA5 (two blank ones are left out) and 9,400 of "
        "SYNTHIA, each resized as where its data set is the only source. Rare classes are drawn "
        "by the statistics of both together.",
        "GTA5 labels terrain, trucks and trains, which SYNTHIA does not: their pixels are ignored "
        "in training, and they are not among the classes of the mean.",
    ),
)
source = ["gta5", "synthia"]

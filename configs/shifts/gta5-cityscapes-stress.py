"""GTA5 to Cityscapes, scored on every other street that the benchmark can read."""

based_on = "gta5-cityscapes"
card = dict(
    title="GTA5 -> Cityscapes, stress test",
    summary="Rendered to photographed streets; unseen: ten data sets of other places and weathers.",
    notes="The training is that of gta5-cityscapes; only what is scored differs.",
)
unseen = [
    *("bdd100k", "mapillary", "wilddash2", "idd"),
    *("acdc", "muses"),  # also by condition
    *("dark-zurich", "nighttime-driving", "foggy-zurich", "foggy-driving"),
]

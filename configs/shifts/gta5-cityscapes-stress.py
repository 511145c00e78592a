"""GTA5 to Cityscapes, scored on every other street and on synthetic corruptions of the target."""

based_on = "gta5-cityscapes"
card = dict(
    title="GTA5 -> Cityscapes, stress test",
    summary="Rendered to photographed streets; unseen: ten other data sets, and corruptions.",
    notes="The training is that of gta5-cityscapes; only what is scored differs.",
)
unseen = [
    *("bdd100k", "mapillary", "wilddash2", "idd"),
    *("acdc", "muses"),  # also by condition
    *("dark-zurich", "nighttime-driving", "foggy-zurich", "foggy-driving"),
    "cityscapes-c",  # 16 corruptions at 5 severities, by corruption
]

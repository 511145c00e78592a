"""Cityscapes to Dark Zurich: day to night."""

card = dict(
    title="Cityscapes -> Dark Zurich",
    summary="Day to night; unseen: other nights, other weathers and another continent.",
)
source = "cityscapes"
target = "dark-zurich"
unseen = ["nighttime-driving", "acdc", "bdd100k"]

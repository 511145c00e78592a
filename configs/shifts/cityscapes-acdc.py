"""Cityscapes to ACDC: clear weather by day to fog, night, rain and snow."""

card = dict(
    title="Cityscapes -> ACDC",
    summary="Camera, city and weather change; unseen: other nights and another continent.",
)
source = "cityscapes"
target = "acdc"
unseen = ["dark-zurich", "nighttime-driving", "bdd100k"]

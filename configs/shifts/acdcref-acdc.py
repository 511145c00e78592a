"""ACDC's reference images to its adverse ones: the same places, only the weather changes."""

card = dict(
    title="ACDC reference -> ACDC",
    summary="Only weather and light change: labelled references to adverse images.",
)
source = "acdc-reference"
target = "acdc"
unseen = ["cityscapes", "dark-zurich"]

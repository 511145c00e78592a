"""GTA5 to Cityscapes, the shift of most papers on UDA for semantic segmentation."""

card = dict(
    title="GTA5 -> Cityscapes",
    summary="Rendered to photographed streets; unseen: other cameras and countries, bad weather.",
)
source = "gta5"
target = "cityscapes"
unseen = ["bdd100k", "mapillary", "acdc"]

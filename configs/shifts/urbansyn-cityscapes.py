"""UrbanSyn to Cityscapes: a source rendered without a game's limits."""

card = dict(
    title="UrbanSyn -> Cityscapes",
    summary="Photorealistic rendering to photographs; unseen as for GTA5.",
)
source = "urbansyn"
target = "cityscapes"
unseen = ["bdd100k", "mapillary", "acdc"]

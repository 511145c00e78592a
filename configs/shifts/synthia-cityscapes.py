"""SYNTHIA to Cityscapes, the second shift of most papers on UDA."""

card = dict(
    title="SYNTHIA -> Cityscapes",
    summary="Rendered to photographed streets, over viewpoints too; 16 classes have labels.",
    notes="Papers report the mean over 16 classes, and over 13 without wall, fence and pole.",
)
source = "synthia"
target = "cityscapes"
unseen = ["bdd100k", "mapillary", "acdc"]
# SYNTHIA has no terrain, truck and train.
_things = (
    *("traffic light", "traffic sign", "vegetation", "sky", "person", "rider", "car", "bus"),
    *("motorcycle", "bicycle"),
)
_surfaces = ("road", "sidewalk", "building")
classes = (*_surfaces, "wall", "fence", "pole", *_things)
also = {"13 classes": (*_surfaces, *_things)}

"""SYNTHIA to Cityscapes, the second shift of most papers on UDA."""

card = dict(
    title="SYNTHIA -> Cityscapes",
    summary="Rendered to photographed streets, over viewpoints too; 16 classes have labels.",
)
source = "synthia"
target = "cityscapes"
unseen = ["bdd100k", "mapillary", "acdc"]

"""Mapillary Vistas, labels of version 2.0, table `robustnet_like`."""

card = dict(
    title="Mapillary Vistas 2.0",
    short="Map2",
    summary="Streets of all continents; 2,000 validation images for scoring.",
)
reader = "files"
dataset = "mapillary-v2.0"
label_map = "robustnet_like"
train = dict(split="training")
test = dict(split="validation")
counts = dict(train=18000, test=2000)

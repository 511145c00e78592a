"""Mapillary Vistas, labels of version 1.2, table `robustnet`."""

card = dict(
    title="Mapillary Vistas",
    short="Map",
    summary="Streets of all continents; 2,000 validation images for scoring.",
)
reader = "files"
dataset = "mapillary-v1.2"
label_map = "robustnet"
train = dict(split="training")
test = dict(split="validation")
counts = dict(train=18000, test=2000)

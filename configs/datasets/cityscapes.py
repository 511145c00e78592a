"""Cityscapes: streets of 50 cities, mostly German, by day."""

card = dict(
    title="Cityscapes",
    summary="5,000 finely annotated frames of 2048x1024 from 50 cities.",
    paper="Cordts et al., The Cityscapes Dataset for Semantic Urban Scene Understanding, CVPR 2016",
    url="https://www.cityscapes-dataset.com/downloads/",
    licence="non-commercial research, registration",
    access="account",
    packages=("leftImg8bit_trainvaltest.zip", "gtFine_trainvaltest.zip"),
)
layouts = [
    dict(
        name="official",
        images="leftImg8bit/{split}/{city}/{frame}_leftImg8bit.png",
        labels="gtFine/{split}/{city}/{frame}_gtFine_labelIds.png",
    ),
]
placeholders = dict(split=("train", "val", "test"))
sizes = ((2048, 1024),)
decoder = "id_png"
values = range(34)  # the license plate is id -1, which 8-bit files do not hold
label_maps = dict(
    default={
        7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12,
        26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18,
    },
)  # fmt: skip
sources = (
    "label map: mcordts/cityscapesScripts helpers/labels.py",
    "check: pixels of each class of two frames equal the statistics in tue-mps/vfm-uda-plusplus",
)
notes = (
    "The labels of the test split hold only the own car and the borders; nothing can be scored.",
    "No labelTrainIds files are needed: they are labelIds after the same table.",
)

"""SYNTHIA-RAND-CITYSCAPES: rendered streets from many viewpoints, in Cityscapes' classes."""

card = dict(
    title="SYNTHIA-RAND-CITYSCAPES",
    summary="9,400 rendered frames of 1280x760; 16 of the 19 classes occur.",
    paper="Ros et al., The SYNTHIA Dataset, CVPR 2016",
    url="https://synthia-dataset.net/downloads/",
    licence="non-commercial research, see the page",
    access="direct download",
    packages=("SYNTHIA_RAND_CITYSCAPES.rar",),
)
layouts = [
    dict(name="official", images="RGB/{frame}.png", labels="GT/LABELS/{frame}.png"),
]
placeholders = dict(frame=r"\d{7}")
sizes = ((1280, 760),)
decoder = "png16_class_in_r"
id_names = (
    "void", "sky", "building", "road", "sidewalk", "fence", "vegetation", "pole", "car",
    "traffic sign", "pedestrian", "bicycle", "motorcycle", "parking-slot", "road-work",
    "traffic light", "terrain", "rider", "truck", "bus", "train", "wall", "lanemarking",
)  # fmt: skip
values = range(23)
label_maps = dict(
    default={
        1: 10, 2: 2, 3: 0, 4: 1, 5: 4, 6: 8, 7: 5, 8: 13, 9: 7, 10: 11, 11: 18, 12: 17, 15: 6,
        16: 9, 17: 12, 18: 14, 19: 15, 20: 16, 21: 3,
    },
)  # fmt: skip
absent = (9, 14, 16)  # terrain, truck and train: in no label of the 9,400
sources = (
    "label map: README of the package, lhoyer/DAFormer tools/convert_datasets/synthia.py, DACS",
    "absent classes: statistics of all labels in tue-mps/vfm-uda-plusplus",
    "unreadable files after unpacking: VLTSeg",
)
notes = (
    "The archive has to be unpacked; seven labels were reported unreadable after that, without "
    "their names. Check the files and unpack those again with another program.",
    "GT/COLOR is a picture: walls and lane markings share a colour there.",
    "Lane markings (22), parking slots (13) and road works (14) are not trained on, as in every "
    "paper.",
)

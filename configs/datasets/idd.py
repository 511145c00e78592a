"""IDD, India Driving Dataset, part I: unstructured streets of Hyderabad and Bangalore."""

card = dict(
    title="IDD",
    summary="7,974 labelled frames of Indian streets (6,993 train, 981 val), as polygons.",
    paper="Varma et al., IDD: A Dataset for Exploring Problems of Autonomous Navigation in "
    "Unconstrained Environments, WACV 2019",
    url="https://idd.insaan.iiit.ac.in/dataset/download/",
    licence="research, see the page",
    access="account",
    packages=("IDD Segmentation, part I",),
)
layouts = [
    dict(
        name="official",
        images="leftImg8bit/{split}/{drive}/{frame}_leftImg8bit.png",
        labels="gtFine/{split}/{drive}/{frame}_gtFine_polygons.json",
    ),
]
placeholders = dict(split=("train", "val", "test"))
decoder = "polygon_json"
id_names = (
    "road", "parking", "drivable fallback", "sidewalk", "rail track", "non-drivable fallback",
    "person", "animal", "rider", "motorcycle", "bicycle", "autorickshaw", "car", "truck", "bus",
    "caravan", "trailer", "train", "vehicle fallback", "curb", "wall", "fence", "guard rail",
    "billboard", "traffic sign", "traffic light", "pole", "polegroup", "obs-str-bar-fallback",
    "building", "bridge", "tunnel", "vegetation", "sky", "fallback background", "unlabeled",
    "ego vehicle", "rectification border", "out of roi", "license plate",
)  # fmt: skip
label_names = {name: number for number, name in enumerate(id_names)}
values = (*range(40), 255)  # 255 where no polygon lies
label_maps = dict(
    default={
        0: 0, 3: 1, 5: 9, 6: 11, 8: 12, 9: 17, 10: 18, 12: 13, 13: 14, 14: 15, 17: 16, 20: 3, 21: 4,
        24: 7, 25: 6, 26: 5, 29: 2, 32: 8, 33: 10,
    },
    # WildDash's unified policy: auto rickshaws are motorcycles; its ambiguous ids (5, 19, 28) void
    wilddash={
        0: 0, 3: 1, 6: 11, 8: 12, 9: 17, 10: 18, 11: 17, 12: 13, 13: 14, 14: 15, 17: 16, 20: 3,
        21: 4, 24: 7, 25: 6, 26: 5, 29: 2, 32: 8, 33: 10,
    },
)  # fmt: skip
sources = (
    "label map: AutoNUE/public-code helpers/anue_labels.py, column csTrainId",
    "wilddash: WildDash wd2_unified_label_policy.json",
    "number of images: mseg-dataset/mseg-api",
)
notes = (
    "Only polygons are published; no label images have to be made of them.",
    "The published table gives the vehicle fallback the id 355 in one column, a slip; it is void.",
)

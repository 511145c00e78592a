"""Mapillary Vistas with the labels of version 1.2: streets of all continents."""

card = dict(
    title="Mapillary Vistas 1.2",
    summary="20,000 labelled photographs of many sizes in 66 classes.",
    paper="Neuhold et al., The Mapillary Vistas Dataset for Semantic Understanding of Street "
    "Scenes, ICCV 2017",
    url="https://www.mapillary.com/dataset/vistas",
    licence="research, see the form",
    access="form",
    packages=("the archive of version 1.2, or that of version 2.0 with both",),
)
folder = "mapillary"
layouts = [
    dict(
        name="version 1.2",
        images="{split}/images/{frame}.jpg",
        labels="{split}/labels/{frame}.png",
    ),
    dict(
        name="version 2.0",  # its package holds the labels of both
        images="{split}/images/{frame}.jpg",
        labels="{split}/v1.2/labels/{frame}.png",
    ),
]
# The pattern keeps out what converters write beside the labels.
placeholders = dict(split=("training", "validation", "testing"), frame=r"[\w-]{22}")
decoder = "palette_index_png"
id_names = (
    "Bird", "Ground Animal", "Curb", "Fence", "Guard Rail", "Barrier", "Wall", "Bike Lane",
    "Crosswalk - Plain", "Curb Cut", "Parking", "Pedestrian Area", "Rail Track", "Road",
    "Service Lane", "Sidewalk", "Bridge", "Building", "Tunnel", "Person", "Bicyclist",
    "Motorcyclist", "Other Rider", "Lane Marking - Crosswalk", "Lane Marking - General", "Mountain",
    "Sand", "Sky", "Snow", "Terrain", "Vegetation", "Water", "Banner", "Bench", "Bike Rack",
    "Billboard", "Catch Basin", "CCTV Camera", "Fire Hydrant", "Junction Box", "Mailbox", "Manhole",
    "Phone Booth", "Pothole", "Street Light", "Pole", "Traffic Sign Frame", "Utility Pole",
    "Traffic Light", "Traffic Sign (Back)", "Traffic Sign (Front)", "Trash Can", "Bicycle", "Boat",
    "Bus", "Car", "Caravan", "Motorcycle", "On Rails", "Other Vehicle", "Trailer", "Truck",
    "Wheeled Slow", "Car Mount", "Ego Vehicle", "Unlabeled",
)  # fmt: skip
values = range(66)
label_maps = dict(
    # HRDA, RobustNet, SHADE, FAMix, CLOUDS, VLTSeg, VFM-UDA(++)
    robustnet={
        2: 1, 3: 4, 6: 3, 13: 0, 15: 1, 17: 2, 19: 11, 20: 12, 21: 12, 22: 12, 24: 0, 27: 10, 29: 9,
        30: 8, 41: 0, 45: 5, 47: 5, 48: 6, 50: 7, 52: 18, 54: 15, 55: 13, 57: 17, 58: 16, 61: 14,
    },
    # DDB, Rein, SoMA, DepthForge: by parts of the classes' names
    openseg={
        2: 1, 3: 4, 6: 3, 7: 0, 8: 0, 9: 1, 10: 0, 11: 1, 13: 0, 14: 0, 15: 1, 17: 2, 19: 11,
        20: 12, 21: 12, 22: 12, 23: 0, 24: 0, 27: 10, 29: 9, 30: 8, 44: 5, 45: 5, 46: 7, 47: 5,
        48: 6, 49: 7, 50: 7, 52: 18, 54: 15, 55: 13, 57: 17, 58: 16, 61: 14,
    },
    # baseline RbA of the BRAVO challenge
    rba_bravo={
        2: 1, 3: 4, 6: 3, 13: 0, 15: 1, 17: 2, 19: 11, 20: 12, 21: 12, 22: 12, 23: 0, 24: 0, 27: 10,
        29: 9, 30: 8, 45: 5, 47: 5, 48: 6, 50: 7, 52: 18, 54: 15, 55: 13, 57: 17, 58: 16, 61: 14,
    },
    # mdsmith-cim/bravo-challenge-public, after Fishyscapes
    mcgill_bravo={
        3: 4, 5: 4, 6: 3, 7: 0, 8: 0, 9: 1, 10: 0, 11: 1, 13: 0, 15: 1, 17: 2, 19: 11, 20: 12,
        21: 12, 22: 12, 23: 0, 24: 0, 26: 9, 27: 10, 28: 9, 29: 9, 30: 8, 45: 5, 46: 7, 47: 5,
        48: 6, 50: 7, 52: 18, 54: 15, 55: 13, 57: 17, 58: 16, 61: 14,
    },
    # inverse of WildDash's unified policy; its ambiguous ids (2, 7, 12, 41, 45, 59) are void
    wilddash={
        3: 4, 5: 3, 6: 3, 8: 0, 9: 1, 11: 0, 13: 0, 14: 0, 15: 1, 17: 2, 19: 11, 20: 12, 21: 12,
        22: 12, 23: 0, 24: 0, 27: 10, 29: 9, 30: 8, 36: 0, 43: 0, 46: 5, 47: 5, 48: 6, 50: 7,
        52: 18, 54: 15, 55: 13, 57: 17, 58: 16, 61: 14,
    },
)  # fmt: skip
sources = (
    "names: config.json of the package (mapillary-config of ozendelait/rvc_devkit)",
    "robustnet: shachoi/RobustNet, lhoyer/HRDA tools/convert_datasets/mapillary.py, VLTSeg",
    "openseg: xiaoachen98/DDB, w1oves/Rein tools/convert_datasets/mapillary2cityscape.py",
    "rba_bravo: valeoai/bravo_challenge; mcgill_bravo: mdsmith-cim/bravo-challenge-public",
    "wilddash: WildDash wd2_unified_label_policy.json",
)
notes = (
    "Published results score different ground truth: the table is part of every record here.",
    "The last id, 65, is Unlabeled; papers that count 65 classes leave it out.",
)

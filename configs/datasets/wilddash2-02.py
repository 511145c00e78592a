"""WildDash 2, the earlier package wd_public_02: the same kind of scenes with id labels."""

card = dict(
    title="WildDash 2 (02)",
    summary="The beta of WildDash 2 with id labels, as VFM-UDA uses it; for evaluation.",
    paper="Zendel et al., Unifying Panoptic Segmentation for Autonomous Driving, CVPR 2022",
    url="https://wilddash.cc/download/wilddash2",
    licence="non-commercial, see the page",
    access="account",
    packages=("wd_public_02.zip",),
)
layouts = [
    dict(name="official", images="images/{frame}.jpg", labels="labels/{frame}.png"),
]
decoder = "id_png"
id_names = (
    "unlabeled", "egovehicle", "overlay", "outofroi", "static", "dynamic", "ground", "road",
    "sidewalk", "parking", "railtrack", "building", "wall", "fence", "guardrail", "bridge",
    "tunnel", "pole", "polegroup", "trafficlight", "trafficsign", "vegetation", "terrain", "sky",
    "person", "rider", "car", "truck", "bus", "caravan", "trailer", "onrails", "motorcycle",
    "bicycle", "pickup", "van", "billboard", "streetlight", "roadmarking", "junctionbox", "mailbox",
    "manhole", "phonebooth", "pothole", "bikerack", "trafficsignframe", "utilitypole",
    "motorcyclist", "bicyclist", "otherrider", "bird", "groundanimal", "curb", "trafficsignany",
    "trafficsignback", "trashcan", "otherbarrier", "othervehicle", "autorickshaw", "bench",
    "mountain", "tramtrack", "wheeledslow", "boat", "bikelane", "bikelanesidewalk", "banner",
    "dashcammount", "water", "sand", "pedestrianarea", "firehydrant", "cctvcamera", "snow",
    "catchbasin", "crosswalkplain", "crosswalkzebra", "manholesidewalk", "curbterrain",
    "servicelane", "curbcut",
)  # fmt: skip
values = range(81)
label_maps = dict(
    default={
        7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12,
        26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18, 34: 14, 35: 13, 38: 0, 41: 0, 43: 0, 45: 5,
        46: 5, 47: 12, 48: 12, 49: 12, 52: 1, 56: 3, 58: 17, 61: 0, 64: 0, 65: 1, 70: 0, 74: 0,
        75: 0, 76: 0, 77: 1, 78: 9, 79: 0, 80: 1,
    },
    # as VFM-UDA reads it: vans, pickups and all else beyond Cityscapes' ids are void
    cityscapes_ids={
        7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12,
        26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18,
    },
)  # fmt: skip
sources = (
    "label map: WildDash wd2_unified_label_policy.json, equal to brdav/cma and SysCV/CISS",
    "cityscapes_ids and layout: tue-mps/vfm-uda",
)
notes = (
    "A data set and folder of its own: both packages are called images/ inside.",
    "VFM-UDA splits the frames by lists of its own into 3,404 and 852; here all are one set.",
)

"""Mapillary Vistas with the labels of version 2.0: streets of all continents."""

card = dict(
    title="Mapillary Vistas 2.0",
    summary="20,000 labelled photographs of many sizes in 124 classes.",
    paper="Neuhold et al., The Mapillary Vistas Dataset for Semantic Understanding of Street "
    "Scenes, ICCV 2017",
    url="https://www.mapillary.com/dataset/vistas",
    licence="research, see the form",
    access="form",
    packages=("the archive of version 2.0",),
)
folder = "mapillary"
layouts = [
    dict(
        name="official",
        images="{split}/images/{frame}.jpg",
        labels="{split}/v2.0/labels/{frame}.png",
    ),
]
# The pattern keeps out what converters write beside the labels.
placeholders = dict(split=("training", "validation", "testing"), frame=r"[\w-]{22}")
decoder = "palette_index_png"
id_names = (
    "Bird", "Ground Animal", "Ambiguous Barrier", "Concrete Block", "Curb", "Fence", "Guard Rail",
    "Barrier", "Road Median", "Road Side", "Lane Separator", "Temporary Barrier", "Wall",
    "Bike Lane", "Crosswalk - Plain", "Curb Cut", "Driveway", "Parking", "Parking Aisle",
    "Pedestrian Area", "Rail Track", "Road", "Road Shoulder", "Service Lane", "Sidewalk",
    "Traffic Island", "Bridge", "Building", "Garage", "Tunnel", "Person", "Person Group",
    "Bicyclist", "Motorcyclist", "Other Rider", "Lane Marking - Dashed Line",
    "Lane Marking - Straight Line", "Lane Marking - Zigzag Line", "Lane Marking - Ambiguous",
    "Lane Marking - Arrow (Left)", "Lane Marking - Arrow (Other)", "Lane Marking - Arrow (Right)",
    "Lane Marking - Arrow (Split Left or Straight)",
    "Lane Marking - Arrow (Split Right or Straight)", "Lane Marking - Arrow (Straight)",
    "Lane Marking - Crosswalk", "Lane Marking - Give Way (Row)", "Lane Marking - Give Way (Single)",
    "Lane Marking - Hatched (Chevron)", "Lane Marking - Hatched (Diagonal)", "Lane Marking - Other",
    "Lane Marking - Stop Line", "Lane Marking - Symbol (Bicycle)", "Lane Marking - Symbol (Other)",
    "Lane Marking - Text", "Lane Marking (only) - Dashed Line", "Lane Marking (only) - Crosswalk",
    "Lane Marking (only) - Other", "Lane Marking (only) - Test", "Mountain", "Sand", "Sky", "Snow",
    "Terrain", "Vegetation", "Water", "Banner", "Bench", "Bike Rack", "Catch Basin", "CCTV Camera",
    "Fire Hydrant", "Junction Box", "Mailbox", "Manhole", "Parking Meter", "Phone Booth", "Pothole",
    "Signage - Advertisement", "Signage - Ambiguous", "Signage - Back", "Signage - Information",
    "Signage - Other", "Signage - Store", "Street Light", "Pole", "Pole Group",
    "Traffic Sign Frame", "Utility Pole", "Traffic Cone", "Traffic Light - General (Single)",
    "Traffic Light - Pedestrians", "Traffic Light - General (Upright)",
    "Traffic Light - General (Horizontal)", "Traffic Light - Cyclists", "Traffic Light - Other",
    "Traffic Sign - Ambiguous", "Traffic Sign (Back)", "Traffic Sign - Direction (Back)",
    "Traffic Sign - Direction (Front)", "Traffic Sign (Front)", "Traffic Sign - Parking",
    "Traffic Sign - Temporary (Back)", "Traffic Sign - Temporary (Front)", "Trash Can", "Bicycle",
    "Boat", "Bus", "Car", "Caravan", "Motorcycle", "On Rails", "Other Vehicle", "Trailer", "Truck",
    "Vehicle Group", "Wheeled Slow", "Water Valve", "Car Mount", "Dynamic", "Ego Vehicle", "Ground",
    "Static", "Unlabeled",
)  # fmt: skip
values = range(124)
label_maps = dict(
    robustnet_like={
        4: 1, 5: 4, 12: 3, 21: 0, 24: 1, 27: 2, 30: 11, 32: 12, 33: 12, 34: 12, 35: 0, 36: 0, 37: 0,
        38: 0, 39: 0, 40: 0, 41: 0, 42: 0, 43: 0, 44: 0, 46: 0, 47: 0, 48: 0, 49: 0, 50: 0, 51: 0,
        52: 0, 53: 0, 54: 0, 55: 0, 57: 0, 58: 0, 61: 10, 63: 9, 64: 8, 74: 0, 85: 5, 88: 5, 90: 6,
        91: 6, 92: 6, 93: 6, 94: 6, 95: 6, 99: 7, 100: 7, 101: 7, 103: 7, 105: 18, 107: 15, 108: 13,
        110: 17, 111: 16, 114: 14,
    },
)  # fmt: skip
sources = (
    "names: config_v2.0.json of the package (mapillary-config of ozendelait/rvc_devkit)",
    "robustnet_like: ours alone, robustnet of version 1.2 carried over by the classes' names",
)
notes = (
    "No paper is known to score these labels.",
    "The openseg rule is left out: on these names it makes parking meters road and leaves no "
    "traffic light.",
)

"""MUSES: streets in clear weather, fog, rain and snow, by day and at night."""

card = dict(
    title="MUSES",
    summary="2,500 frames in four weathers by day and night: 1,500 train, 250 val, 750 test.",
    paper="Brödermann et al., MUSES: The Multi-Sensor Semantic Perception Dataset for Driving "
    "under Uncertainty, ECCV 2024",
    url="https://muses.ethz.ch",
    licence="see the page",
    access="account",
    packages=("frame_camera_trainvaltest.zip", "gt_semantic_trainval.zip"),
)
layouts = [
    dict(
        name="official",
        images="frame_camera/{split}/{condition}/{frame}_frame_camera.png",
        labels="gt_semantic/{split}/{condition}/{frame}_gt_labelTrainIds.png",
    ),
]
# A condition is two folders deep: the weather and the time.
placeholders = dict(
    split=("train", "val", "test"),
    condition=(
        "clear/day", "clear/night", "fog/day", "fog/night", "rain/day", "rain/night", "snow/day",
        "snow/night",
    ),
)  # fmt: skip
sizes = ((1920, 1080),)
decoder = "id_png"
values = (*range(19), 255)
label_maps = dict(default={train_id: train_id for train_id in range(19)})
sources = (
    "layout: README of the data set (https://muses.ethz.ch/README.md) and of its SDK",
    "label map: timbroed/CAFuser register_muses_panoptic.py, files of train ids",
)
notes = (
    "The README of the website says that all labels are public, that of the SDK that those of the "
    "test split are withheld; val is scored here.",
)

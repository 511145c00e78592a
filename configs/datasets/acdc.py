"""ACDC: the same streets in fog, at night, in rain and in snow."""

card = dict(
    title="ACDC",
    summary="4,006 frames of 1920x1080 in fog, night, rain and snow; 2,006 with public labels.",
    paper="Sakaridis et al., ACDC: The Adverse Conditions Dataset with Correspondences, ICCV 2021",
    url="https://acdc.vision.ee.ethz.ch/download",
    licence="non-commercial, License.pdf of the package",
    access="account",
    packages=("rgb_anon_trainvaltest.zip", "gt_trainval.zip"),
)
layouts = [
    dict(
        name="official",
        images="rgb_anon/{condition}/{split}/{sequence}/{frame}_rgb_anon.png",
        labels="gt/{condition}/{split}/{sequence}/{frame}_gt_labelTrainIds.png",
    ),
    dict(
        name="flattened",  # as for DAFormer: the condition of an image is lost
        images="rgb_anon/{split}/{frame}_rgb_anon.png",
        labels="gt/{split}/{frame}_gt_labelTrainIds.png",
    ),
]
placeholders = dict(condition=("fog", "night", "rain", "snow"), split=("train", "val", "test"))
sizes = ((1920, 1080),)
decoder = "id_png"
values = (*range(19), 255)
label_maps = dict(default={train_id: train_id for train_id in range(19)})
sources = (
    "layout and labels: README of the package",
    "label map: brdav/cma and brdav/refign, files of train ids",
    "flattened layout: README of lhoyer/DAFormer",
)
notes = (
    "The labels of the test split are hidden.",
    "Images of the reference conditions are the data set acdc-reference, in the same folder.",
)

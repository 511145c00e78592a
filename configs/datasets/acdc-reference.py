"""The reference images of ACDC: the places of its adverse images in clear weather by day."""

card = dict(
    title="ACDC reference",
    summary="Clear-weather counterparts of ACDC; 1,003 of train_ref and val_ref have labels.",
    paper="Sakaridis et al., ACDC: The Adverse Conditions Dataset with Correspondences, ICCV 2021",
    url="https://acdc.vision.ee.ethz.ch/download",
    licence="non-commercial, License.pdf of the package",
    access="account",
    packages=("rgb_anon_trainvaltest.zip", "gt_trainval_ref.zip"),
)
folder = "acdc"
layouts = [
    dict(
        name="official",
        images="rgb_anon/{condition}/{split}/{sequence}/{frame}_rgb_ref_anon.png",
        labels="gt/{condition}/{split}/{sequence}/{frame}_gt_ref_labelTrainIds.png",
    ),
]
# The condition is that of the adverse image that a reference belongs to.
placeholders = dict(
    condition=("fog", "night", "rain", "snow"), split=("train_ref", "val_ref", "test_ref")
)
sizes = ((1920, 1080),)
decoder = "id_png"
values = (*range(19), 255)
label_maps = dict(default={train_id: train_id for train_id in range(19)})
sources = (
    "layout and labels: README of the package",
    "label map: that of ACDC, files of train ids",
)
notes = (
    "1,503 references are annotated; the labels of 500 are hidden. Descriptions of the first "
    "release say that references have no labels.",
)

"""Dark Zurich: Zurich by night, twilight and day."""

card = dict(
    title="Dark Zurich",
    summary="2,416 unlabelled training frames at night; 50 labelled ones for validation.",
    paper="Sakaridis et al., Guided Curriculum Model Adaptation and Uncertainty-Aware Evaluation "
    "for Semantic Nighttime Image Segmentation, ICCV 2019",
    url="https://www.trace.ethz.ch/publications/2019/GCMA_UIoU/",
    licence="non-commercial, see the page",
    access="direct download",
    packages=(
        "Dark_Zurich_train_anon.zip",
        "Dark_Zurich_val_anon.zip",
        "Dark_Zurich_test_anon_withoutGt.zip",
    ),
)
layouts = [
    dict(
        name="official",
        images="rgb_anon/{split}/{light}/{sequence}/{frame}_rgb_anon.png",
        labels="gt/{split}/{light}/{sequence}/{frame}_gt_labelTrainIds.png",
    ),
]
placeholders = dict(
    split=("train", "val", "val_ref", "test", "test_ref"), light=("night", "twilight", "day")
)
sizes = ((1920, 1080),)
decoder = "id_png"
values = (*range(19), 255)
label_maps = dict(default={train_id: train_id for train_id in range(19)})
sources = (
    "layout and label map: open-mmlab/mmsegmentation DarkZurichDataset, brdav/refign",
    "number of night frames: pair list of brdav/refign",
)
notes = (
    "The training frames have no labels, whatever configurations of other code bases name.",
    "The labels of the 151 test frames are hidden; scores on val and test differ a lot.",
)

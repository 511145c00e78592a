"""Nighttime Driving: 50 coarsely labelled frames at night."""

card = dict(
    title="Nighttime Driving",
    summary="50 night frames of 1920x1080 with coarse labels, for evaluation only.",
    paper="Dai and Van Gool, Dark Model Adaptation: Semantic Image Segmentation from Daytime to "
    "Nighttime, ITSC 2018",
    url="http://people.ee.ethz.ch/~daid/NightDriving/",
    licence="research, see the page",
    access="direct download",
    packages=("NighttimeDrivingTest.zip",),
)
layouts = [
    dict(
        name="official",
        images="leftImg8bit/{split}/night/{frame}_leftImg8bit.png",
        labels="gtCoarse_daytime_trainvaltest/{split}/night/{frame}_gtCoarse_labelTrainIds.png",
    ),
]
placeholders = dict(split=("test",))
sizes = ((1920, 1080),)
decoder = "id_png"
values = (*range(19), 255)
label_maps = dict(default={train_id: train_id for train_id in range(19)})
sources = (
    "layout and label map: open-mmlab/mmsegmentation NightDrivingDataset, brdav/refign",
    "number of images: lists of MGCDA",
)

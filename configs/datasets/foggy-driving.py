"""Foggy Driving: photographs of streets in fog, taken by the authors and from the web."""

card = dict(
    title="Foggy Driving",
    summary="101 frames in fog, 33 with fine and 68 with coarse labels, for evaluation only.",
    paper="Sakaridis et al., Semantic Foggy Scene Understanding with Synthetic Data, IJCV 2018",
    url="https://people.ee.ethz.ch/~csakarid/SFSU_synthetic/",
    licence="non-commercial, see the page",
    access="direct download",
    packages=("Foggy_Driving.zip",),
)
layouts = [
    dict(
        name="official",
        images="leftImg8bit/{split}/{origin}/{frame}_leftImg8bit.png",
        labels="gt{detail}/{split}/{origin}/{frame}_gt{detail}_labelTrainIds.png",
    ),
]
# The 33 frames of "test" have fine labels, the 68 of "test_extra" coarse ones.
placeholders = dict(
    split=("test", "test_extra"),
    origin=("pedestrian", "public", "web"),
    detail=("Fine", "Coarse"),
)
decoder = "id_png"
values = (*range(19), 255)
label_maps = dict(default={train_id: train_id for train_id in range(19)})
sources = (
    "layout and labels: README of the package",
    "label map: SysCV/CISS, files of train ids",
)

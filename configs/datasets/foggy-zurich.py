"""Foggy Zurich: Zurich and its suburbs in real fog."""

card = dict(
    title="Foggy Zurich",
    summary="3,808 frames in fog: 40 labelled test frames, light and medium fog to adapt to.",
    paper="Dai et al., Curriculum Model Adaptation with Synthetic and Real Data for Semantic Foggy "
    "Scene Understanding, IJCV 2020",
    url="https://people.ee.ethz.ch/~csakarid/Model_adaptation_SFSU_dense/",
    licence="non-commercial, see the page",
    access="direct download",
    packages=("the archives of Foggy Zurich",),
)
layouts = [
    dict(
        name="official",
        images="RGB/{sequence}/{frame}.png",
        labels="gt_labelTrainIds/{sequence}/{frame}.png",
        lists=dict(
            testv2="lists_file_names/RGB_testv2_filenames.txt",
            testv1="lists_file_names/RGB_testv1_filenames.txt",
            light="lists_file_names/RGB_light_filenames.txt",
            medium="lists_file_names/RGB_medium_filenames.txt",
        ),
    ),
]
placeholders = dict(split=("testv2", "testv1", "light", "medium"))
decoder = "id_png"
values = (*range(19), 255)
label_maps = dict(default={train_id: train_id for train_id in range(19)})
sources = (
    "layout, lists and labels: README of the package",
    "label map: SysCV/CISS, files of train ids",
)
notes = (
    "The splits are text files. Adapt to light and medium only: near duplicates of the test frames "
    "were removed there and nowhere else.",
)

"""BDD100K, its 10k images with semantic labels: streets of the United States at any time."""

card = dict(
    title="BDD100K",
    summary="8,000 labelled frames of 1280x720, in day and night and in all weathers.",
    paper="Yu et al., BDD100K: A Diverse Driving Dataset for Heterogeneous Multitask Learning, "
    "CVPR 2020",
    url="https://doc.bdd100k.com/download.html",
    licence="education, research and not-for-profit, see the page",
    access="account",
    packages=("bdd100k_images_10k.zip", "bdd100k_sem_seg_labels_trainval.zip"),
)
layouts = [
    dict(
        name="official",
        images="images/10k/{split}/{frame}.jpg",
        labels="labels/sem_seg/masks/{split}/{frame}.png",
    ),
    dict(
        name="legacy 2018",
        images="seg/images/{split}/{frame}.jpg",
        labels="seg/labels/{split}/{frame}_train_id.png",
    ),
]
placeholders = dict(split=("train", "val", "test"))
sizes = ((1280, 720),)
decoder = "id_png"
values = (*range(19), 255)
label_maps = dict(default={train_id: train_id for train_id in range(19)})
sources = (
    "layout and label map: bdd100k/bdd100k doc/source/format.rst; legacy: mseg-dataset/mseg-api",
    "images without labels: bdd100k/bdd100k issue 103",
)
_EXTRA = "in the first image archive of the 10k images, without a label"
excluded = {
    "3d581db5-2564fb7e": _EXTRA,
    "52e3fd10-c205dec2": _EXTRA,
    "781756b0-61e0a182": _EXTRA,
    "78ac84ba-07bd30c2": _EXTRA,
    "80a9e37d-e4548ac1": _EXTRA,
    "9342e334-33d167eb": _EXTRA,
}
notes = (
    "The colormaps cannot be decoded: two published tables swap wall and fence, and persons and "
    "parking signs share a colour.",
    "The first image archive also lacks six labelled frames (fee92217-63b3f87f, ff1e4d6d-f4d85cfd, "
    "ff3d3536-04986e25 and ff3da814-c3463a43 of train, ff55861e-a06b953c and ff7b98c7-3cb964ac of "
    "val); the archive published in June 2021 has them.",
)

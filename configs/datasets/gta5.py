"""GTA5 ("Playing for Data"): rendered street scenes with Cityscapes' label ids."""

card = dict(
    title="GTA5",
    summary="24,966 frames of a video game, mostly 1914x1052, with Cityscapes ids.",
    paper="Richter et al., Playing for Data: Ground Truth from Computer Games, ECCV 2016",
    url="https://download.visinf.tu-darmstadt.de/data/from_games/",
    licence="research, see the page",
    access="direct download",
    packages=("01_images.zip ... 10_images.zip", "01_labels.zip ... 10_labels.zip"),
)
layouts = [
    dict(name="official", images="images/{frame}.png", labels="labels/{frame}.png"),
    dict(
        name="split folders",
        images="images/{split}/{frame}.png",
        labels="labels/{split}/{frame}.png",
    ),
]
placeholders = dict(frame=r"\d{5}", split=("train", "valid", "val", "test"))
decoder = "palette_index_png"
values = range(35)
label_fit = "resize"  # the labels of a few frames are some pixels larger or smaller
label_maps = dict(
    default={
        7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12,
        26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18,
    },
)  # fmt: skip
sources = (
    "label map: lhoyer/DAFormer tools/convert_datasets/gta.py, valeoai/ADVENT, cityscapesScripts",
    "blank images: mdsmith-cim/bravo-challenge-public",
)
excluded = {
    "15188": "blank image with a good label",
    "17705": "blank image with a good label",
}

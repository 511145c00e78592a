"""GTA5 ("Playing for Data"): rendered street scenes with Cityscapes' label ids."""

card = dict(
    title="GTA5",
    summary="24,966 frames of a video game, mostly 1914x1052, with Cityscapes ids.",
    paper="Richter et al., Playing for Data: Ground Truth from Computer Games, ECCV 2016",
    url="https://download.visinf.tu-darmstadt.de/data/from_games/",
    licence="research, see the page",
    access="direct download",
    packages=(
        *(f"{part:02}_images.zip" for part in range(1, 11)),
        *(f"{part:02}_labels.zip" for part in range(1, 11)),
    ),
)
layouts = [
    dict(name="official", images="images/{frame}.png", labels="labels/{frame}.png"),
    dict(
        name="split folders",  # made by hand for RobustNet's lists
        images="images/{split}/{frame}.png",
        labels="labels/{split}/{frame}.png",
    ),
]
placeholders = dict(frame=r"\d{5}", split=("train", "valid", "val", "test"))
sizes = ((1914, 1052), (1914, 1046))  # most files; a few differ by some pixels
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
    "sizes: yzou2/CBST issue 5, mdsmith-cim/bravo-challenge-public",
)
excluded = {
    "15188": "blank image with a good label",
    "17705": "blank image with a good label",
}
notes = (
    "A program that expands palettes (OpenCV does) loses the ids of these labels.",
    "The authors' split.mat and RobustNet's lists (12,388 train, 6,382 val, 6,181 test) leave 15 "
    "frames out; papers on UDA train on all files.",
)

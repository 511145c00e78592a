"""Synscapes: photorealistic renderings with Cityscapes' label ids."""

card = dict(
    title="Synscapes",
    summary="25,000 rendered frames of 1440x720, also upscaled to 2048x1024.",
    paper="Wrenninge and Unger, Synscapes: A Photorealistic Synthetic Dataset for Street Scene "
    "Parsing, 2018",
    url="https://synscapes.on.liu.se/download.html",
    licence="see the form",
    access="form",
    packages=("the archives of img/rgb (or img/rgb-2k) and img/class",),
)
layouts = [
    dict(name="official", images="img/rgb/{frame}.png", labels="img/class/{frame}.png"),
    dict(name="upscaled", images="img/rgb-2k/{frame}.png", labels="img/class/{frame}.png"),
]
placeholders = dict(frame=r"\d+")
sizes = ((1440, 720), (2048, 1024))
decoder = "id_png"
values = range(34)
label_fit = "resize"  # labels exist at 1440x720 only
label_maps = dict(
    default={
        7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12,
        26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18,
    },
)  # fmt: skip
sources = (
    "layout, sizes and ids: https://synscapes.on.liu.se/features.html",
    "label map: xiaoachen98/DDB synscapes.py, cityscapesScripts",
)

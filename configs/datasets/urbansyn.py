"""UrbanSyn: rendered streets, made to complement GTA5 and SYNTHIA."""

card = dict(
    title="UrbanSyn",
    summary="7,539 rendered frames of 2048x1024 with Cityscapes' train ids.",
    paper="Gomez et al., All for One, and One for All: UrbanSyn Dataset, the Third Musketeer of "
    "Synthetic Driving Scenes, 2023",
    url="https://www.urbansyn.org/",
    licence="CC BY-SA 4.0",
    access="direct download",
    packages=("rgb.zip", "ss.zip"),
)
layouts = [
    dict(name="official", images="rgb/rgb_{frame}.png", labels="ss/ss_{frame}.png"),
]
placeholders = dict(frame=r"\d{4}")
sizes = ((2048, 1024),)
decoder = "channel0_png"
# Void is 19. Rein's script rewrites it to 255 in place; such files say the same.
values = (*range(20), 255)
label_maps = dict(default={train_id: train_id for train_id in range(19)})
sources = (
    "label map: tue-mps/vfm-uda-plusplus, w1oves/Rein issue 66, DepthForge",
    "channel: tue-mps/vfm-uda-plusplus reads the first of several",
)
notes = ("Who trains on these files as they are sees a 20th class, the void.",)

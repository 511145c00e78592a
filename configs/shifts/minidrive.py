"""Synthetic to real in the MiniDrive world, tested on five more appearances nobody trained on."""

card = dict(
    title="MiniDrive synthetic -> real",
    summary="Cartoon-like rendering to photographs of any light; unseen: region and weather.",
)
source = "minidrive-synthetic"
target = "minidrive-real"
unseen = ["minidrive-geo", "minidrive-fog", "minidrive-night", "minidrive-rain", "minidrive-snow"]

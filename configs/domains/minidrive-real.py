"""MiniDrive, domain "real"."""

card = dict(
    title="MiniDrive real",
    short="real",
    summary="Greyish, textured, shadowed day scenes; the target.",
)
reader = "MiniDrive"
domain = "real"
world = dict(height=64, width=128, gap=0.65, train_images=800, test_images=160)

"""MiniDrive, domain "real"."""

card = dict(
    title="MiniDrive real",
    short="real",
    summary="Photographs: textured, shadowed, faded, each with a colour cast; the target.",
)
reader = "MiniDrive"
domain = "real"
world = dict(height=64, width=128, gap=0.68, train_images=800, test_images=160)

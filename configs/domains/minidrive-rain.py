"""MiniDrive, domain "rain"."""

card = dict(
    title="MiniDrive rain",
    short="rain",
    summary="The real appearance in rain.",
)
reader = "MiniDrive"
domain = "rain"
world = dict(height=64, width=128, gap=0.68, train_images=800, test_images=160)

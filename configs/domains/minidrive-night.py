"""MiniDrive, domain "night"."""

card = dict(
    title="MiniDrive night",
    short="night",
    summary="The real appearance at night.",
)
reader = "MiniDrive"
domain = "night"
world = dict(height=64, width=128, gap=0.68, train_images=800, test_images=160)

"""MiniDrive, domain "fog"."""

card = dict(
    title="MiniDrive fog",
    short="fog",
    summary="The real appearance in fog.",
)
reader = "MiniDrive"
domain = "fog"
world = dict(height=64, width=128, gap=0.68, train_images=800, test_images=160)

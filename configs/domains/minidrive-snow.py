"""MiniDrive, domain "snow"."""

card = dict(
    title="MiniDrive snow",
    short="snow",
    summary="The real appearance in snow.",
)
reader = "MiniDrive"
domain = "snow"
world = dict(height=64, width=128, gap=0.68, train_images=800, test_images=160)

"""MiniDrive, domain "synthetic"."""

card = dict(
    title="MiniDrive synthetic",
    short="synthetic",
    summary="Saturated, evenly lit rendering; the labelled source.",
)
reader = "MiniDrive"
domain = "synthetic"
world = dict(height=64, width=128, gap=0.68, train_images=800, test_images=160)

"""MiniDrive, domain "geo"."""

card = dict(
    title="MiniDrive geo",
    short="geo",
    summary="Another region: other streets, colours and traffic.",
)
reader = "MiniDrive"
domain = "geo"
world = dict(height=64, width=128, gap=0.68, train_images=800, test_images=160)

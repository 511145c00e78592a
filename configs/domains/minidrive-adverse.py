"""MiniDrive, domain "adverse": fog, night, rain and snow together."""

card = dict(
    title="MiniDrive adverse",
    short="adverse",
    summary="The real appearance in fog, at night, in rain and in snow; scored also by condition.",
)
reader = "MiniDrive"
domain = "adverse"
world = dict(height=64, width=128, gap=0.68, train_images=800, test_images=160)
# 200 training images of each condition show streets of their own. The test images are those of the
# four single conditions, 160 each: those on which the shift "minidrive" is scored, too.
test = ("fog", "night", "rain", "snow")
group = "condition"

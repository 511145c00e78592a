"""Synthetic to real in the MiniDrive world, tested on corrupted images of the target."""

based_on = "minidrive"
card = dict(
    title="MiniDrive synthetic -> real, corrupted",
    summary="The shift minidrive; unseen: the target's test images under 16 synthetic corruptions.",
    notes="The training is that of minidrive; only what is scored differs.",
)
unseen = ["minidrive-real-c"]

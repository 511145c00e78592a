"""Real to adverse in the MiniDrive world: clear days to fog, night, rain and snow."""

card = dict(
    title="MiniDrive real -> adverse",
    summary="Only weather and light change; unseen: another region, and the synthetic game.",
)
source = "minidrive-real"
target = "minidrive-adverse"
# The single conditions are parts of the target, so they are no unseen domains here.
unseen = ["minidrive-geo", "minidrive-synthetic"]

"""Foggy Driving, for evaluation only: all 101 labelled frames, as published."""

card = dict(
    title="Foggy Driving",
    short="FD",
    summary="101 frames in fog for scoring; those with fine and with coarse labels also apart.",
)
reader = "files"
dataset = "foggy-driving"
label_map = "default"
train = None
test = dict(split=("test", "test_extra"))
counts = dict(test=101)
group = "split"  # test: 33 with fine labels; test_extra: 68 with coarse ones

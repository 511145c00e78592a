"""DACS as first published: the classes to paste are drawn from each image's own."""

based_on = "dacs"
card = dict(
    title="DACS, mixing by image",
    summary="DACS that pastes half of the classes of each image, not half of those in the batch.",
)
model = dict(class_mix=dict(scope="image"))

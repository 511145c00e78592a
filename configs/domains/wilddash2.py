"""WildDash 2, for evaluation only: all public frames."""

card = dict(
    title="WildDash 2",
    short="WD2",
    summary="Hard scenes from all over the world; all 4,256 public frames for scoring.",
)
reader = "files"
dataset = "wilddash2"
label_map = "default"
train = None
test = {}
counts = dict(test=4256)

"""GTA5, all frames."""

card = dict(title="GTA5", short="GTA5", summary="All frames of GTA5; a labelled source.")
reader = "files"
dataset = "gta5"
label_map = "default"
train = {}  # every frame, as in the UDA papers
test = None
counts = dict(train=24966)

"""Synscapes, all frames."""

card = dict(title="Synscapes", short="SynS", summary="All frames of Synscapes; a labelled source.")
reader = "files"
dataset = "synscapes"
label_map = "default"
train = {}
test = None
counts = dict(train=25000)

"""UrbanSyn, all frames."""

card = dict(title="UrbanSyn", short="USyn", summary="All frames of UrbanSyn; a labelled source.")
reader = "files"
dataset = "urbansyn"
label_map = "default"
train = {}
test = None
counts = dict(train=7539)

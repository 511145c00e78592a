"""How cells of the MiniDrive suites are trained and scored, the same for all methods."""

card = dict(
    title="MiniDrive",
    summary="600 iterations on 4+4 whole images of 64x128; the last iterate is scored.",
)
iterations = 600
batch_size = 4  # images of each domain in one step
image_size = (64, 128)
pipeline = [dict(type="RandomFlip", prob=0.5)]
decode_head = dict(
    type="DAFormerHead",
    channels=64,
    dilations=(1, 2, 4, 6),
    norm_cfg=dict(type="GN", num_groups=8),
)
optimizer = dict(type="AdamW", betas=(0.9, 0.999), weight_decay=0.01)
clip_grad = dict(max_norm=10.0)
schedule = dict(warmup_iterations=50, warmup_factor=1e-6, power=0.9)
class_weight = None
evaluation = dict(mode="whole", batch_size=32)
# Where this small world needs other constants than the papers: changes of a method's model.
methods = dict(dacs=dict(pseudo_labels=dict(threshold=0.9)))

"""Scoring as in the DAFormer code base: half-size images, logits brought to the labels' size."""

card = dict(
    title="DAFormer",
    summary="Whole images at half size; logits are brought to the size of the labels.",
    url="https://github.com/lhoyer/DAFormer",
)
mode = "whole"
batch_size = 1
scale = (1024, 512)  # longest and shortest side at most
scales = dict(acdc=(960, 540))

"""A small residual network for the MiniDrive suites."""

card = dict(
    title="ResNet-mini",
    summary="Residual network with GroupNorm, random initial weights.",
    family="convolutional",
    pretraining="none",
)
backbone = dict(type="ResNetMini")
channels = (48, 96, 128, 128)
mean = (127.5, 127.5, 127.5)
std = (63.75, 63.75, 63.75)
learning_rate = dict(encoder=4e-3, decoder=4e-3)

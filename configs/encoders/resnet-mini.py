"""A small residual network for the MiniDrive suites."""

card = dict(
    title="ResNet-mini",
    summary="Residual network with group norm and standardised weights, from random weights.",
    family="convolutional",
    pretraining="none",
)
backbone = dict(type="ResNetMini")
channels = (48, 96, 128, 128)
mean = (123.675, 116.28, 103.53)
std = (58.395, 57.12, 57.375)
learning_rate = dict(encoder=8e-3, decoder=8e-3)

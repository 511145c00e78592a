"""AdaptSegNet with an adversarial weight of 3e-4; the original's is 1e-3."""

based_on = "adaptsegnet"
card = dict(
    title="AdaptSegNet, weight 3e-4",
    summary="AdaptSegNet with an adversarial weight of 3e-4 instead of 1e-3.",
)
model = dict(adversary=dict(weight=0.0003))

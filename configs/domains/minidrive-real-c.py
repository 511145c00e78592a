"""MiniDrive, domain "real" under synthetic corruptions."""

based_on = "minidrive-real"
adds = ("corrupted",)
card = dict(
    title="MiniDrive real, corrupted",
    short="real-C",
    summary="Every twentieth test image of the domain real under 16 corruptions at 5 severities.",
    notes="Strengths are in pixels and made for larger images: on 64x128 the blurs are severe.",
)
custom_imports = dict(imports=["mmseg_ext.datasets.corrupted_domain"])
corrupted = dict(
    corruptions=(
        *("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"),
        *("motion_blur", "defocus_blur", "glass_blur", "gaussian_blur"),
        *("snow", "frost", "fog", "spatter"),
        *("brightness", "contrast", "saturate", "jpeg_compression"),
    ),
    severities=(1, 2, 3, 4, 5),
    every=20,
)

"""Pre-training of MiniDrive's small encoders, so that it has an encoder axis of its own.

A recipe is a class of the registry `mmseg_ext.pretraining.recipe.PRETRAININGS`; an encoder's
fragment gives it, with all of its constants, where others give the tag of published weights.
``python -m mmseg_ext.pretraining`` runs one recipe in a process of its own, on one thread of the
CPU, so that the same recipe makes the same weights bit for bit whoever asks for them.
"""

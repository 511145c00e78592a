"""UDA methods, one file each; importing the package registers them."""

from mmseg_ext.methods.adaptsegnet import AdaptSegNet
from mmseg_ext.methods.advent import ADVENT
from mmseg_ext.methods.dacs import DACS
from mmseg_ext.methods.daformer import DAFormer
from mmseg_ext.methods.mic import MIC
from mmseg_ext.methods.minent import MinEnt
from mmseg_ext.methods.norm_stats import NormStats
from mmseg_ext.methods.supervised import Supervised

__all__ = [
    "ADVENT",
    "DACS",
    "MIC",
    "AdaptSegNet",
    "DAFormer",
    "MinEnt",
    "NormStats",
    "Supervised",
]

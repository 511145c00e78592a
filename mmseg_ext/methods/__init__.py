"""UDA methods, one file each; importing the package registers them."""

from mmseg_ext.methods.dacs import DACS
from mmseg_ext.methods.daformer import DAFormer
from mmseg_ext.methods.mic import MIC
from mmseg_ext.methods.supervised import Supervised

__all__ = ["DACS", "MIC", "DAFormer", "Supervised"]

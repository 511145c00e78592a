"""Training loop and hooks; importing the package registers them."""

from mmseg_ext.engine.curves import CurveHook
from mmseg_ext.engine.progress import ProgressHook
from mmseg_ext.engine.resume_point import ResumePointHook
from mmseg_ext.engine.train_loop import UDATrainLoop

__all__ = ["CurveHook", "ProgressHook", "ResumePointHook", "UDATrainLoop"]

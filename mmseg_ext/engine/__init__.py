"""Training loop, hooks and optimizers; importing the package registers them."""

from mmseg_ext.engine.autocast import AutocastOptimWrapper
from mmseg_ext.engine.curves import CurveHook
from mmseg_ext.engine.data_parallel import StepwiseDataParallel
from mmseg_ext.engine.logged_values import LoggedValuesHook
from mmseg_ext.engine.part_optimizers import PartOptimWrapperConstructor
from mmseg_ext.engine.progress import ProgressHook
from mmseg_ext.engine.resume_point import ResumePointHook
from mmseg_ext.engine.student_optimizer import StudentOptimWrapperConstructor
from mmseg_ext.engine.train_loop import UDATrainLoop

__all__ = [
    "AutocastOptimWrapper",
    "CurveHook",
    "LoggedValuesHook",
    "PartOptimWrapperConstructor",
    "ProgressHook",
    "ResumePointHook",
    "StepwiseDataParallel",
    "StudentOptimWrapperConstructor",
    "UDATrainLoop",
]

"""Scoring on several domains; importing the package registers metric and loop."""

from mmseg_ext.evaluation.confusion import ConfusionMetric, DomainScore
from mmseg_ext.evaluation.test_loop import MultiDomainTestLoop

__all__ = ["ConfusionMetric", "DomainScore", "MultiDomainTestLoop"]

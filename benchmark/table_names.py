"""Names of the tables that a suite can ask for, in the order in which they are shown."""

from __future__ import annotations

NAMES = (
    *("uda", "generalization", "conditions", "comparison", "per_class"),
    *("overhead", "feature_distance", "claims"),
)

"""Registries of the extension: children of MMSegmentation's, under the scope ``mmseg_ext``.

With ``default_scope='mmseg_ext'`` our names and MMSegmentation's are both found without a prefix;
from any other scope ours are ``mmseg_ext.<Name>``. The modules that hold the components are
imported when a registry is first asked, so importing this file builds nothing.
"""

from __future__ import annotations

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry
from mmseg import registry as mmseg_registry

from mmseg_ext import compat

compat.provide_missing_mmcv_operators()
compat.read_checkpoints_safely()


def _child(kind: str, parent: Registry, *locations: str) -> Registry:
    return Registry(kind, scope="mmseg_ext", parent=parent, locations=list(locations))


MODELS = _child(
    "model",
    mmseg_registry.MODELS,
    "mmseg_ext.encoders",
    "mmseg_ext.heads",
    "mmseg_ext.methods",
    "mmseg_ext.segmentors",
)
DATASETS = _child(
    "dataset",
    mmseg_registry.DATASETS,
    "mmseg_ext.datasets.domain",
    "mmseg_ext.datasets.file_domain",
    "mmseg_ext.datasets.paired",
)
DATA_SAMPLERS = _child(
    "data sampler", mmseg_registry.DATA_SAMPLERS, "mmseg_ext.datasets.position_sampler"
)
TRANSFORMS = _child(
    "transform",
    mmseg_registry.TRANSFORMS,
    "mmseg_ext.datasets.mapped_label",
    "mmseg_ext.datasets.reading",
    "mmseg_ext.datasets.scoring_size",
    "mmseg_ext.datasets.valid_pixels",
)
LOOPS = _child("loop", mmseg_registry.LOOPS, "mmseg_ext.engine", "mmseg_ext.evaluation")
HOOKS = _child("hook", mmseg_registry.HOOKS, "mmseg_ext.engine")
METRICS = _child("metric", mmseg_registry.METRICS, "mmseg_ext.evaluation")
# A child of MMEngine's own: the runner looks wrappers up there, and a scope in a name leads from a
# registry to its children only.
MODEL_WRAPPERS = _child("model_wrapper", mmengine_registry.MODEL_WRAPPERS, "mmseg_ext.engine")
OPTIM_WRAPPERS = _child("optim_wrapper", mmseg_registry.OPTIM_WRAPPERS, "mmseg_ext.engine")
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    "optimizer wrapper constructor",
    mmseg_registry.OPTIM_WRAPPER_CONSTRUCTORS,
    "mmseg_ext.engine",
)

# Empty ones: MMEngine looks every kind of component up in the default scope and warns where a
# scope has no registry of that kind.
OPTIMIZERS = _child("optimizer", mmseg_registry.OPTIMIZERS)
PARAM_SCHEDULERS = _child("parameter scheduler", mmseg_registry.PARAM_SCHEDULERS)
WEIGHT_INITIALIZERS = _child("weight initializer", mmseg_registry.WEIGHT_INITIALIZERS)
VISBACKENDS = _child("vis_backend", mmseg_registry.VISBACKENDS)

"""What a cell trains on: the data sets of a runner configuration's training loader."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from benchmark import class_subsets, domains, shift_sources, variants
from benchmark.errors import FragmentError
from benchmark.registry import Fragment

JOINT_MODULE = "mmseg_ext.datasets.joint"
"""What registers the data set of joint sources; cells with one source do not depend on it."""


def loader(
    protocol: Fragment,
    method: Fragment,
    shift: Fragment,
    found: Mapping[str, Fragment],
    seed: int,
) -> dict[str, Any]:
    """The training loader of a cell; ``found`` has the fragments of the shift's domains by name.

    With one source its data set is ``source``; with several ``source`` is the list of theirs.

    Raises:
        FragmentError: a fragment lacks a name, or a source has no labels to train on.
    """
    with_labels, without = _pipelines(protocol, method)
    target = found[shift.require("target")]
    unlabelled = target if method.card.get("target_images") else None
    if method.card.get("target_labels"):
        # Only the oracle: the target takes the source's place, openly and with its labels.
        labelled, unlabelled = [target], None
    else:
        labelled = [found[name] for name in shift_sources.names(shift)]
    is_joint = len(labelled) > 1
    kept = class_subsets.of_shift(shift).get("classes")
    if is_joint and kept is not None:
        # What only some of the sources label, the others show under another name or none.
        with_labels = [{"type": "IgnoreOtherClasses", "classes": kept}, *with_labels]
    sources = [domains.trained(each, protocol, with_labels, labelled=True) for each in labelled]
    return {
        "batch_size": protocol.require("batch_size"),
        "sampler": {"type": "PositionSampler"},
        "dataset": {
            "type": "JointPairedDataset" if is_joint else "PairedDataset",
            "source": sources if is_joint else sources[0],
            "target": None
            if unlabelled is None
            else domains.trained(
                unlabelled, protocol, without, labelled=False, margins=_margins(method, unlabelled)
            ),
            "seed": seed,
            **_rare_class_sampling(protocol, method),
        },
    }


def imports(method: Fragment, shift: Fragment) -> list[str]:
    """Modules to import before a cell's training data are built, beside our registries' own."""
    is_joint = len(shift_sources.names(shift)) > 1 and not method.card.get("target_labels")
    return [JOINT_MODULE] if is_joint else []


def datasets(paired: Mapping[str, Any]) -> list[Any]:
    """The data sets in the configuration of a paired one: those of the source, then the target."""
    source = paired["source"]
    sources = source if isinstance(source, list) else [source]
    return [each for each in (*sources, paired["target"]) if each is not None]


def _pipelines(protocol: Fragment, method: Fragment) -> tuple[Any, Any]:
    """How labelled and how unlabelled training images are cut and augmented.

    A protocol gives one list for all, or ``dict(source=..., target=..., photometric=...)``: the
    last is that of labelled images where the method's fragment says ``photometric``, as the
    DAFormer code base does for its supervised baselines and not for its UDA methods.
    """
    given = protocol.require("pipeline")
    if not isinstance(given, Mapping):
        return given, given
    needed = ("source", "target", "photometric")
    if set(given) != set(needed):
        raise FragmentError(
            f"{protocol.path}: pipeline has {', '.join(given)}, expected a list or a dict of "
            f"{', '.join(needed)}"
        )
    kind = "photometric" if method.values.get("photometric") else "source"
    return given[kind], given["target"]


def _rare_class_sampling(protocol: Fragment, method: Fragment) -> dict[str, Any]:
    """The argument of the paired data set, where the method asks and the protocol agrees."""
    rule = variants.in_protocol(method, protocol).get("rare_class_sampling")
    return {} if rule is None else {"rare_class_sampling": rule}


def _margins(method: Fragment, target: Fragment) -> dict[str, Any] | None:
    """Margins of the target's images, where it has any and the method does not trust them."""
    if not method.values.get("valid_margins"):
        return None
    margins: dict[str, Any] | None = copy.deepcopy(target.values.get("valid_margins"))
    return margins

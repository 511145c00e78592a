"""Where downloaded data sets lie on this machine; never part of what a cell computes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import registry
from benchmark.errors import UsageError
from benchmark.registry import Fragment

VARIABLE = "UDABENCH_DATA_ROOT"


@dataclass(frozen=True)
class DataRoots:
    """Folders of data sets.

    The folder of one data set is, in this order: the variable ``UDABENCH_DATA_ROOT_<NAME>``, the
    ``root`` of its fragment, or the folder called after it below ``root``. Data sets that come in
    one folder, such as two versions of the same labels, share its name: the fragment's ``folder``.
    """

    root: Path | None

    @classmethod
    def chosen(cls, option: str | None) -> DataRoots:
        """From ``--data-root``, or the variable ``UDABENCH_DATA_ROOT``."""
        given = option or os.environ.get(VARIABLE)
        return cls(expanded(given) if given else None)

    def of(self, dataset: Fragment) -> Path:
        """Folder of a data set; it need not exist.

        Raises:
            UsageError: nobody said where it is.
        """
        folder = str(dataset.values.get("folder", dataset.name))
        variable = f"{VARIABLE}_{variable_part(folder)}"
        own = os.environ.get(variable)
        given = own or dataset.values.get("root")
        if given:
            return expanded(str(given))
        if self.root is None:
            raise UsageError(
                f"data set {dataset.name}: its place is not known; give --data-root DIR (or "
                f"{VARIABLE}) for a folder with {folder}/ in it, or {variable} for its own folder"
            )
        return self.root / folder

    def names(self, config: Mapping[str, Any]) -> dict[Path, str]:
        """The folders of a cell's data sets, and what they are called in records instead.

        ``config`` is the cell's resolved configuration. A folder that is a link is there twice.
        """
        places = {} if self.root is None else {self.root: "<data-root>"}
        for domain in config.get("domains", {}).values():
            if "dataset" not in domain:
                continue  # a generated one
            try:
                folder = self.of(registry.find("dataset", domain["dataset"]))
            except UsageError:
                continue  # it was never found, so no message names it
            if self.root is None or self.root not in folder.parents:
                places[folder] = f"<data-root>/{domain['dataset']}"
        return {**places, **{path.resolve(): name for path, name in places.items()}}


def variable_part(name: str) -> str:
    """A data set's name as it appears in a variable: capitals and underscores."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def expanded(text: str) -> Path:
    """An absolute path with ``~`` and variables filled in.

    Raises:
        UsageError: a variable in it is not set.
    """
    path = os.path.expandvars(os.path.expanduser(text))
    if "$" in path:
        raise UsageError(f"{text}: a variable in this path is not set")
    return Path(path).absolute()

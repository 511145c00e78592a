"""The rules by which cells are scored: an evaluation fragment, or a dict inside a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark import registry
from benchmark.errors import FragmentError
from benchmark.paths import shown
from benchmark.registry import Fragment

MODES = ("whole", "slide")
SPACES = ("native", "half", "network")
MEANS = ("pooled", "per-condition")
AVERAGES = ("logits", "probabilities")
KEYS = (
    *("mode", "crop_size", "stride", "window_average", "batch_size", "scale", "scales"),
    *("keep_ratio", "ground_truth", "ground_truths", "mean"),
)


@dataclass(frozen=True)
class EvaluationRules:
    """How test images are fed to the network, and how its answers are scored.

    Attributes:
        name: of the preset, or ``None`` for rules that stand in a protocol.
        inference: ``mode`` ``whole``, or ``slide`` with ``crop_size`` and ``stride`` (height,
            width) and what overlapping windows are averaged in.
        batch_size: test images at a time; they may differ in size.
        scale: arguments of the transform ``ScaleImage`` by which images are resized, or ``None``.
        scales: the same for single domains or data sets.
        ground_truth: size at which is scored: ``native`` (the label's own), ``half`` (image and
            label halved first) or ``network`` (labels resized to the network's input).
        ground_truths: the same for single domains or data sets.
        mean: where a domain has groups (ACDC's conditions), the headline is the IoU of the
            ``pooled`` counts or the mean of those ``per-condition``.
    """

    name: str | None
    inference: Mapping[str, Any]
    batch_size: int
    scale: Mapping[str, Any] | None
    scales: Mapping[str, Mapping[str, Any] | None]
    ground_truth: str
    ground_truths: Mapping[str, str]
    mean: str

    def scale_of(self, domain: str, dataset: str) -> Mapping[str, Any] | None:
        """What is resized how: the domain's own rule, else its data set's, else that of all."""
        return self.scales.get(domain, self.scales.get(dataset, self.scale))

    def ground_truth_of(self, domain: str, dataset: str) -> str:
        """Where a domain is scored; chosen as in `scale_of`."""
        return self.ground_truths.get(domain, self.ground_truths.get(dataset, self.ground_truth))


def of_protocol(protocol: Fragment) -> EvaluationRules:
    """The rules of a protocol, given in it or by the name of a preset.

    Raises:
        FragmentError: there are none, or a value is wrong: names the file and the key.
        UsageError: no evaluation has that name.
    """
    given = protocol.require("evaluation")
    if isinstance(given, str):
        preset = registry.find("evaluation", given)
        return _Reader(preset.values, shown(preset.path), given).rules()
    if not isinstance(given, Mapping):
        raise FragmentError(
            f"{shown(protocol.path)}: evaluation is {registry.shortened(given)}, expected the name "
            "of an evaluation or a dict"
        )
    return _Reader(given, f"{shown(protocol.path)}: evaluation", None).rules()


@dataclass(frozen=True)
class _Reader:
    """Checks the values of an evaluation; ``place`` is where a user finds them."""

    values: Mapping[str, Any]
    place: str
    name: str | None

    def rules(self) -> EvaluationRules:
        for key in self.values:
            if key not in KEYS and key != "card":
                raise FragmentError(f"{self.place}: {registry.unknown('key', key, KEYS)}")
        return EvaluationRules(
            name=self.name,
            inference=self._inference(),
            batch_size=self._batch_size(),
            scale=self._scale("scale", self.values.get("scale")),
            scales={
                name: self._scale(f"scales[{name!r}]", value)
                for name, value in self._by_name("scales").items()
            },
            ground_truth=self._choice("ground_truth", SPACES, "native"),
            ground_truths={
                name: self._chosen(f"ground_truths[{name!r}]", value, SPACES)
                for name, value in self._by_name("ground_truths").items()
            },
            mean=self._choice("mean", MEANS, "pooled"),
        )

    def _inference(self) -> dict[str, Any]:
        if "mode" not in self.values:
            raise self._wrong("mode", None, f"one of {', '.join(MODES)}")
        mode = self._choice("mode", MODES, "")
        windows = [key for key in ("crop_size", "stride", "window_average") if key in self.values]
        if mode == "whole":
            if windows:
                raise self._wrong(windows[0], self.values[windows[0]], "nothing: mode is 'whole'")
            return {"mode": mode}
        crop, stride = self._pair("crop_size"), self._pair("stride")
        if stride[0] > crop[0] or stride[1] > crop[1]:
            raise self._wrong("stride", stride, f"at most crop_size, {crop}: pixels would be left")
        average = self._choice("window_average", AVERAGES, "logits")
        other = {} if average == "logits" else {"average": average}
        return {"mode": mode, "crop_size": crop, "stride": stride, **other}

    def _batch_size(self) -> int:
        value = self.values.get("batch_size", 1)
        if not _is_count(value):
            raise self._wrong("batch_size", value, "a number of at least 1")
        return int(value)

    def _scale(self, key: str, value: Any) -> dict[str, Any] | None:
        """Arguments of ``ScaleImage``."""
        keep_ratio = self.values.get("keep_ratio", True)
        if not isinstance(keep_ratio, bool):
            raise self._wrong("keep_ratio", keep_ratio, "True or False")
        if value is None:
            return None
        if isinstance(value, Mapping):
            if set(value) != {"short_side"} or not _is_count(value["short_side"]):
                raise self._wrong(key, value, "dict(short_side=PIXELS)")
            return {"short_side": value["short_side"]}
        longest, shortest = self._two(key, value, "(longest, shortest side) in pixels, or None")
        # With the ratio kept the two are bounds; otherwise they are the width and the height.
        if keep_ratio and longest < shortest:
            raise self._wrong(key, value, "the longest side first")
        ratio = {} if keep_ratio else {"keep_ratio": False}
        return {"bound": (longest, shortest), **ratio}

    def _by_name(self, key: str) -> Mapping[str, Any]:
        value = self.values.get(key, {})
        if not isinstance(value, Mapping):
            raise self._wrong(key, value, "a dict from domain or data set to a value")
        valid = {*registry.names("dataset"), *registry.names("domain")}
        for name in value:
            if name not in valid:
                raise FragmentError(
                    f"{self.place}: {key}: {registry.unknown('domain or data set', name, valid)}"
                )
        return value

    def _pair(self, key: str) -> tuple[int, int]:
        return self._two(key, self.values.get(key), "(height, width) in pixels")

    def _two(self, key: str, value: Any, expected: str) -> tuple[int, int]:
        if (
            not isinstance(value, (list, tuple))
            or len(value) != 2
            or not all(map(_is_count, value))
        ):
            raise self._wrong(key, value, expected)
        return int(value[0]), int(value[1])

    def _choice(self, key: str, valid: tuple[str, ...], default: str) -> str:
        return self._chosen(key, self.values.get(key, default), valid)

    def _chosen(self, key: str, value: Any, valid: tuple[str, ...]) -> str:
        if value not in valid:
            raise self._wrong(key, value, f"one of {', '.join(valid)}")
        return str(value)

    def _wrong(self, key: str, value: Any, expected: str) -> FragmentError:
        given = registry.shortened(value)
        return FragmentError(f"{self.place}: {key} is {given}, expected {expected}")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1

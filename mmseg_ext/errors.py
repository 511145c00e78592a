"""Errors of the data plane: each names the file or value, what was expected and what to do."""

from __future__ import annotations


class ExtensionError(Exception):
    """Base of the errors below."""


class UnreadableFileError(ExtensionError):
    """An image or a label file that is missing, empty, truncated or not of the declared format."""


class InvalidLabelError(ExtensionError):
    """A label map with a value outside the vocabulary, or of another size than its image."""


class EmptyDomainError(ExtensionError):
    """A domain whose folder holds no image, or not one label for each image."""


class NonFiniteLossError(ExtensionError):
    """A loss term became NaN or infinite: names the term and the iteration."""


class EncoderError(ExtensionError):
    """An encoder that cannot be built from its configuration: names the argument at fault."""


class WeightsError(ExtensionError):
    """A weight file that cannot be read safely, or that does not fit its encoder as a whole."""


class TargetLabelsSeenError(ExtensionError):
    """A target training sample carries annotations: the label firewall was bypassed."""


class StatisticsError(ExtensionError):
    """Class statistics that cannot be computed, read, or used with the data set at hand."""


class FeatureDistanceError(ExtensionError):
    """Features of student and frozen encoder, or features and labels, that cannot be compared."""


class SegmentorError(ExtensionError):
    """A segmentor that cannot be built from its configuration or cannot take images of a size."""


class OptimizerError(ExtensionError):
    """Optimizers and model do not fit: names the part, the parameter or the loss term left over."""


class MethodError(ExtensionError):
    """A method whose arguments, student or data do not fit together: says which and what to do."""


class ResumeError(ExtensionError):
    """A resume point that this run cannot go on from: says what differs."""


class ImageCacheError(ExtensionError):
    """A file of cached training images that cannot be written, read, or used with its data."""

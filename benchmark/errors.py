"""Errors a user can act on: messages name the file or key, what was expected, what to do."""

from __future__ import annotations


class UdabenchError(Exception):
    """Base of every error the command line reports in one line instead of a traceback."""


class UsageError(UdabenchError):
    """The command, a suite or a fragment asks for something that does not exist (exit code 2)."""


class SuiteError(UsageError):
    """A suite file has an unknown key, a wrong type or a name nobody registered."""


class FragmentError(UsageError):
    """A fragment under configs/ lacks a name it must define, or cannot be executed."""


class PluginError(UsageError):
    """A plugin cannot be found or imported, or what it brings is not what it says."""


class RecordError(UdabenchError):
    """A record on disk is truncated, of another schema version, or contradicts its file name."""


class PublishedError(UdabenchError):
    """A file of published results breaks a rule of its columns."""


class KeptWeightsError(UdabenchError):
    """A cell's kept weights are missing, damaged, or not those that its record was scored with."""


class ExportError(UdabenchError):
    """Predictions that cannot be written as files of a layout: names the image or the folder."""

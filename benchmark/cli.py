"""The command line: each command's work is a module of ``benchmark.commands``.

Exit codes: 0 all done, 1 a cell failed, 2 usage, 3 incomplete, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from benchmark import plugins
from benchmark.errors import UdabenchError, UsageError
from benchmark.surface import parser, plugin_options

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given, others = plugin_options().parse_known_args(arguments)
    parsed = parser().parse_args(others, argparse.Namespace(plugin=given.plugin))
    try:
        with plugins.added(given.plugin):
            command = importlib.import_module(f"benchmark.commands.{parsed.module}")
            code: int = getattr(command, parsed.function)(parsed)
        sys.stdout.flush()
        return code
    except UsageError as error:
        return _complain(error, EXIT_USAGE)
    except UdabenchError as error:
        return _complain(error, EXIT_FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader has gone (a pager, head): let the interpreter's last flush go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        return _complain(error, EXIT_FAILED)


def _complain(problem: object, code: int) -> int:
    print(f"udabench: {problem}", file=sys.stderr)
    return code

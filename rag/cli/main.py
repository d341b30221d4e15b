"""``python -m rag``: the environment, the errors and the exit codes.

Exit codes: 0 done, 1 with one line on stderr, 2 wrong usage, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from rag.cli.ask import check_usage
from rag.cli.models import models
from rag.cli.parser import parser
from rag.errors import RagError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    debug = False
    try:
        args = parser().parse_args(argv)
        debug = args.debug
        check_usage(args)
        _prepare_environment(offline=args.run is not models or args.action != "pull")
        args.run(args)
        sys.stdout.flush()
    except SystemExit as wanted:  # argparse: --help or wrong usage
        return wanted.code if isinstance(wanted.code, int) else 2
    except KeyboardInterrupt as stopped:
        return _failed(str(stopped) or "Stopped.", 130)
    except BrokenPipeError:  # the reader has what it wanted, as in `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001 - a person gets one line, never a traceback
        if debug:
            traceback.print_exc()
        if isinstance(error, RagError):
            return _failed(str(error))
        if isinstance(error, OSError) and error.strerror:
            return _failed(f"{error.filename or 'System'}: {error.strerror}.")
        what = f"{type(error).__name__}: {error}".rstrip(".: ")
        return _failed(f"Internal error: {what}; run with --debug for the traceback.")
    return 0


def _failed(message: str, code: int = 1) -> int:
    from rag.text.untrusted import one_line

    print(one_line(message), file=sys.stderr)
    return code


def _prepare_environment(*, offline: bool) -> None:
    """Set what libraries read when they are loaded, which is later than this."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads cost most of the speed
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    if offline:
        os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"  # transformers' "Loading weights"
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

"""What several commands do: settings with the options laid over them, lines on stderr."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from typing import Any

from rag.config import Config

# Options, too.
_GIVEN = ("encoder", "reader", "generator", "model", "phrase", "accept_errors", "fields")


def config_of(args: argparse.Namespace) -> Config:
    """Return the settings of environment and file, with the options of the command laid over."""
    from rag.server.settings import settings

    options = {name: getattr(args, name, None) for name in _GIVEN}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    return replace(settings(os.environ).config(), **given)


def say(line: str) -> None:
    """Print a line on stderr."""
    print(line, file=sys.stderr)

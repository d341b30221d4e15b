"""What the words of a command line may be; each says what is wrong with one that may not."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any


class Parser(argparse.ArgumentParser):
    """One that hands over to another when its first argument is a word like ``compare``."""

    words: Mapping[str, Parser] = MappingProxyType({})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See argparse."""
        if args and args[0] in self.words:
            return self.words[args[0]].parse_known_args(args[1:], namespace)
        return super().parse_known_args(args, namespace)


def positive(text: str) -> int:
    """Return a whole number above 0."""
    with suppress(ValueError):
        if (number := int(text)) > 0:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")


def share(text: str) -> float:
    """Return a number between 0 and 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1")
    return value


def date(text: str) -> str:
    """Return an ISO date."""
    with suppress(ValueError):
        if dt.date.fromisoformat(text).isoformat() == text:
            return text
    raise argparse.ArgumentTypeError(f"{text!r} is not a date as YYYY-MM-DD")

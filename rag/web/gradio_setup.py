"""Gradio, after what has to be settled before it is imported."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Iterator
from typing import Any

# Read by Gradio itself: no telemetry, and no statistics over its events after each of them.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"
os.environ["FASTAPI_OTEL_AUTO_CONFIGURE"] = "false"  # FastAPI's own, whatever else is set


@contextlib.contextmanager
def _without_stubs() -> Iterator[None]:
    """Spare Gradio the type stubs for editors that it writes into its own package at each import:
    half of the time that it takes. It does without where a class has no file.
    """
    whole = inspect.getfile

    def getfile(of: Any) -> str:
        if sys._getframe(1).f_globals.get("__name__") == "gradio.component_meta":  # noqa: SLF001
            raise OSError("no stub is wanted")
        return whole(of)

    setattr(inspect, "getfile", getfile)  # noqa: B010 - a plain assignment is none for mypy
    try:
        yield
    finally:
        inspect.getfile = whole


with _without_stubs():
    import gradio as gr

# Of events: how they show that they are running, and that they stand in no list for programs.
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}

__all__ = ["AT_ONCE", "QUIET", "gr"]

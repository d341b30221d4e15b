"""The server's log: nothing but warnings, a line for each request, or the same as JSON."""

from __future__ import annotations

import logging
from typing import Any

from rag.text.untrusted import one_line, to_json

KINDS = ("quiet", "text", "json")


class Text(logging.Formatter):
    """One line, with the id of the request that it is about."""

    def format(self, record: logging.LogRecord) -> str:
        number = getattr(record, "request_id", None)
        text = super().format(record)
        return f"{text} [{number}]" if number else text


class Json(logging.Formatter):
    """One JSON object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": one_line(record.getMessage()),
        }
        for name in ("request_id", "client"):
            if value := getattr(record, name, None):
                row[name] = value
        if record.exc_info:
            row["traceback"] = self.formatException(record.exc_info)
        return to_json(row)


def log_to_stderr(kind: str) -> None:
    """Set up what the server logs; ``kind`` is one of KINDS."""
    formatter = Json() if kind == "json" else Text("%(asctime)s %(levelname)s %(message)s")
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    for name in ("rag", "uvicorn", "mcp"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if name == "rag" and kind != "quiet" else logging.WARNING)

"""What a broken file or collection is read as, and archives to read."""

from __future__ import annotations

import io
import zipfile

from rag.config import Config
from rag.errors import ArticleError
from rag.ingest.formats import parts_of

GOOD = "A fine text. It has two sentences."


def zipped(*files: tuple[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return file.getvalue()


def nested(times: int) -> bytes:
    data = zipped(("deep.txt", GOOD))
    for _ in range(times):
        data = zipped(("inner.zip", data))
    return data


def read(name: str, content: bytes | str) -> dict[str, str]:
    """Return {path: text, or the reason why it is not read}."""
    data = content.encode() if isinstance(content, str) else content
    found = {}
    for part in parts_of(name, data, Config()):
        try:
            found[part.path] = part.load().text
        except ArticleError as error:
            found[part.path] = str(error)
    return found

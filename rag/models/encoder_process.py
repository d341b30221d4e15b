"""An encoder in a process of its own, for a server.

Its libraries take as long to load as those of the page, and now do so beside them; and what it
computes in Python does not hold up the page.
"""

from __future__ import annotations

import itertools
import pickle
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.models import checksums
from rag.models import files as models
from rag.models.child import Child
from rag.models.encoder import Encoder, Spans, load_encoder
from rag.types import Vectors


class EncoderProcess:
    """Any sentence-transformers model with a fast tokenizer. Its process is started again when it
    has ended, for the next call; what was in progress raises ModelError.
    """

    def __init__(self, folder: Path) -> None:
        self.fingerprint = checksums.fingerprint(folder)
        self._folder = folder
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._child, self._waiting = self._started()

    @cached_property
    def dimensions(self) -> int:
        return int(self._call("dimensions"))

    @cached_property
    def window(self) -> int:
        return int(self._call("window"))

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = self._call("token_spans", text)
        return found

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        found: tuple[Vectors, list[Vectors]] = self._call("encode_passages", texts, spans)
        return found

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        found: Vectors = self._call("encode_texts", texts)
        return found

    def close(self) -> None:
        """End the process; happens by itself at exit."""
        self._child.close()

    def _call(self, name: str, *given: Any) -> Any:
        number, coming = next(self._numbers), Future[Any]()
        message = pickle.dumps((number, name, given), protocol=5)
        with self._lock:
            if self._child.ended():
                self._child.close()
                self._child, self._waiting = self._started()
            self._waiting[number] = coming
            try:
                self._child.input.write(message)
                self._child.input.flush()
            except (OSError, ValueError) as error:
                raise self._ended(self._child) from error
        return coming.result()

    def _started(self) -> tuple[Child, dict[int, Future[Any]]]:
        child = Child("rag.models.encoder_server", "The encoder", {})
        waiting: dict[int, Future[Any]] = {}
        try:
            child.input.write(pickle.dumps(str(self._folder), protocol=5))
            child.input.flush()
        except OSError as error:  # ended before it has read
            raise self._ended(child) from error
        threading.Thread(
            target=self._listen, args=[child, waiting], name="encoder", daemon=True
        ).start()
        return child, waiting

    def _listen(self, child: Child, waiting: dict[int, Future[Any]]) -> None:
        """Hand over the results of one process, until it has ended."""
        try:
            while True:
                number, worked, result = pickle.load(child.output)  # noqa: S301 - our own child
                coming = waiting.pop(number)
                if worked:
                    coming.set_result(result)
                else:
                    coming.set_exception(ModelError(result))
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            pass  # ended, or closed by us
        finally:  # whatever it was: nobody waits for what no thread hands over
            error = self._ended(child)
            with self._lock:
                child.close()  # whoever asks from now on starts another
                for coming in waiting.values():
                    coming.set_exception(error)
                waiting.clear()

    def _ended(self, child: Child) -> ModelError:
        return ModelError(f"The encoder's process ({self._folder}) is gone: {child.cause()}")


def load_beside(name: str, models_dir: Path | None = None) -> Encoder:
    """Return the encoder of that name, as ``load_encoder`` does; one that has to be loaded, in a
    process of its own, while this one goes on.

    Raises ModelError when its files are missing or damaged.
    """
    if name == "hashed":
        return load_encoder(name)
    return EncoderProcess(models.locate(name, models_dir))

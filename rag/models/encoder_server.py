"""The child that computes vectors: ``python -m rag.models.encoder_server``, for
``encoder_process.py``.

Pickled messages come on standard input: first the encoder's folder and the settings, then (number,
method, arguments); (number, worked, result or error) goes back, in any order. It ends when its
input does.
"""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

# sentence-transformers imports it, for two seconds, and computes with it what we never ask for.
POSTPONED = "sklearn.metrics"
CALLS_AT_ONCE = 4  # a question does not wait for the passages that are being embedded


class Postponed(ModuleType):
    """A module of functions that is imported when one of them is called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*given: Any, **named: Any) -> Any:
            if isinstance(sys.modules.get(self.__name__), Postponed):
                del sys.modules[self.__name__]
            return getattr(importlib.import_module(self.__name__), name)(*given, **named)

        return call


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to the log
    lock = threading.Lock()
    folder, config = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our parent

    sys.modules[POSTPONED] = Postponed(POSTPONED)
    from rag.errors import RagError
    from rag.models.encoder import SentenceTransformerEncoder
    from rag.models.reader import load_reader

    reader = load_reader(config)

    def load() -> SentenceTransformerEncoder:
        gc.disable()  # an eighth of the time: what is imported is no garbage
        loaded = SentenceTransformerEncoder(folder)
        gc.freeze()
        gc.enable()
        return loaded

    pool = ThreadPoolExecutor(CALLS_AT_ONCE)
    encoder = ThreadPoolExecutor(1).submit(load)

    def answer(number: int, name: str, given: tuple[Any, ...]) -> None:
        try:
            loaded = encoder.result()  # first: two threads cannot import the same libraries
            found = getattr(reader if name == "read" else loaded, name)
            back = number, True, found(*given) if callable(found) else found
        except RagError as error:
            back = number, False, str(error)
        except Exception as error:  # noqa: BLE001 - whoever asked must not wait for ever
            back = number, False, f"The encoder failed: {type(error).__name__}: {error}"
        with lock:
            pickle.dump(back, answers, protocol=5)
            answers.flush()

    while True:
        try:
            message = pickle.load(sys.stdin.buffer)  # noqa: S301
        except EOFError:
            os._exit(0)  # what is being computed is for nobody
        pool.submit(answer, *message)


if __name__ == "__main__":
    main()

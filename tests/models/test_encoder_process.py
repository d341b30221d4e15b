"""An encoder in a process of its own: the same vectors, and no end of it takes anyone down. What
every encoder does is in test_encoder.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.config import Config
from rag.errors import ModelError
from rag.models.child import Child
from rag.models.encoder import Encoder, HashedEncoder
from rag.models.encoder_process import EncoderProcess, load_beside
from rag.models.files import locate

pytestmark = pytest.mark.models
TEXTS = ["The bridge in Maldon was closed.", "Tickets cost nine euros.", "ferry " * 300]


def pid(encoder: EncoderProcess) -> int:
    return encoder._child._process.pid


def test_it_computes_what_the_same_encoder_here_computes(
    beside: EncoderProcess, minilm: Encoder
) -> None:
    assert (beside.dimensions, beside.window) == (minilm.dimensions, minilm.window)
    assert beside.fingerprint == minilm.fingerprint
    np.testing.assert_allclose(beside.encode_texts(TEXTS), minilm.encode_texts(TEXTS), atol=1e-5)
    assert beside.token_spans(TEXTS[0]) == minilm.token_spans(TEXTS[0])


def test_questions_of_many_threads_get_their_own_answers(beside: EncoderProcess) -> None:
    texts = [f"Question {n} about the ferry of {n + 1} towns" for n in range(24)]
    expected = beside.encode_texts(texts)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: beside.encode_texts([text])[0], texts))
    np.testing.assert_allclose(np.array(found), expected, atol=1e-5)


def test_one_that_is_killed_is_started_again(beside: EncoderProcess) -> None:
    before = beside.encode_texts(TEXTS)
    os.kill(pid(beside), signal.SIGKILL)
    beside._child.ended(within=10)
    np.testing.assert_allclose(beside.encode_texts(TEXTS), before, atol=1e-6)


def test_killed_while_it_computes_it_says_so_to_who_waits(beside: EncoderProcess) -> None:
    beside.encode_texts(TEXTS)
    busy = ["A long passage about the ferry. " * 20] * 2_000
    killer = threading.Timer(0.5, os.kill, (pid(beside), signal.SIGKILL))
    killer.start()
    with pytest.raises(ModelError, match="is gone: it was ended by signal 9"):
        beside.encode_texts(busy)
    assert len(beside.encode_texts(TEXTS)) == len(TEXTS)


def test_one_that_ends_at_once_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(Child):
        def __init__(self, *args: Any) -> None:
            super().__init__("rag.no_such_module", *args[1:])
            assert self.ended(within=60)

    monkeypatch.setattr("rag.models.encoder_process.Child", Ended)
    with pytest.raises(ModelError, match=r"is gone: .*No module named") as caught:
        load_beside(Config())
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_one_line(tmp_path: Path) -> None:
    whole = locate("all-MiniLM-L6-v2")
    for path in whole.rglob("*"):
        if path.is_file() and path.suffix != ".safetensors":
            target = tmp_path / path.relative_to(whole)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"no weights at all")
    encoder = load_beside(Config(encoder=str(tmp_path)))
    with pytest.raises(ModelError) as caught:
        encoder.encode_texts(TEXTS)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_weights_are_known_at_once() -> None:
    with pytest.raises(ModelError, match="is not on this machine"):
        load_beside(Config(encoder="no-such/encoder"))


def test_hashing_needs_no_process() -> None:
    assert isinstance(load_beside(Config(encoder="hashed")), HashedEncoder)


def test_it_does_not_outlive_its_parent() -> None:
    script = (
        "import os, signal; from rag.config import Config;"
        "from rag.models.encoder_process import load_beside;"
        "encoder = load_beside(Config()); print(encoder._child._process.pid, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    parent = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    child = int(parent.stdout)
    ended = threading.Event()
    for _ in range(300):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            ended.set()
            break
        ended.wait(0.1)
    assert ended.is_set()

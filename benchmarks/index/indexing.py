"""How near encoding passages comes to the machine's own rate of multiplying matrices.

    python -m benchmarks.index.indexing rtqa26 --results benchmarks/results

Takes passages as the index makes them from a set's articles, and encodes them in turns with plain
products of two matrices, so that both see the same machine. Counted are the operations of the
passages' own tokens (the linear layers' and the attention's; a multiplication and an addition are
two): what is spent on padding, on all else that the model does and on tokenization lowers the rate.
The share by processor time is that of a machine which others use, too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.latency import gather

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from rag.config import Config
from rag.index.sync import sync
from rag.models.encoder import HashedEncoder, SentenceTransformerEncoder, Spans, load_encoder
from rag.types import Vectors

AT_ONCE = 128  # passages in one call, as rag/index/embedding.py has them
SIZE = 1536  # of the plain matrices


class Recorder(HashedEncoder):
    """Keeps what an index hands over to be encoded, with the real encoder's tokens."""

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        self.window, self._encoder = encoder.window, encoder
        self.texts: list[str] = []
        self.spans: list[Spans] = []

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return self._encoder.token_spans(text)

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        self.texts += texts
        self.spans += spans
        return super().encode_passages(texts, spans)


class Counted:
    """Counts the passages' tokens, and times their tokenizer."""

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        self.lengths: list[int] = []
        self.seconds = 0.0
        self._encoder, self._tokenizer = encoder, encoder._tokenizer  # noqa: SLF001

    @contextmanager
    def timed(self) -> Iterator[None]:
        self._encoder._tokenizer = self  # noqa: SLF001
        try:
            yield
        finally:
            self._encoder._tokenizer = self._tokenizer  # noqa: SLF001

    def _run(self, of: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        begun = time.perf_counter()
        try:
            return of(*args, **kwargs)
        finally:
            self.seconds += time.perf_counter() - begun

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        encoded = self._run(self._tokenizer, *args, **kwargs)
        self.lengths += map(len, encoded["input_ids"])
        return encoded

    def pad(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self._tokenizer.pad, *args, **kwargs)

    def operations(self, config: Any) -> float:
        """Return the floating-point operations that the passages' own tokens ask for."""
        width, inner = config.hidden_size, config.intermediate_size
        tokens = np.array(self.lengths, np.float64)
        linear = 2 * (4 * width**2 + 2 * width * inner) * tokens
        attention = 2 * 2 * width * tokens**2
        return float(config.num_hidden_layers * (linear + attention).sum())


class Clock:
    """Adds up wall and processor seconds."""

    def __init__(self) -> None:
        self.wall, self.processor, self.operations = 0.0, 0.0, 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.processor += time.process_time() - processor

    def rate(self) -> float:
        """Return operations per second."""
        return self.operations / self.wall

    def per_core(self) -> float:
        """Return operations per second of processor time."""
        return self.operations / self.processor


def multiply(together: Clock, apart: Clock, times: int = 20) -> None:
    """Multiply matrices so many times: with all cores at one product, and each at its own."""
    import torch

    one, other = torch.rand(SIZE, SIZE), torch.rand(SIZE, SIZE)
    threads = torch.get_num_threads()

    def run(times: int) -> None:
        for _ in range(times):
            torch.mm(one, other)

    with together.running():
        run(times)
    with ThreadPoolExecutor(threads, "core", torch.set_num_threads, (1,)) as cores:
        list(cores.map(run, [1] * threads))  # started
        with apart.running():
            list(cores.map(run, [times // threads] * threads))
    torch.set_num_threads(threads)
    together.operations += 2 * SIZE**3 * times
    apart.operations += 2 * SIZE**3 * (times // threads * threads)


def passages(data: Path, name: str, encoder: SentenceTransformerEncoder, most: int) -> Recorder:
    """Return inputs of the encoder made from a set's articles."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "articles"
        folder.mkdir()
        gather(data, [name], most // 5, folder)
        recorder = Recorder(encoder)
        sync(folder, Path(place) / "index", Config(encoder="hashed"), recorder)
    recorder.texts, recorder.spans = recorder.texts[:most], recorder.spans[:most]
    return recorder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("set")
    parser.add_argument("--passages", type=int, default=600)
    parser.add_argument("--results", type=Path, help="write indexing.md here")
    arguments = parser.parse_args()
    import torch

    encoder = load_encoder(Config().encoder)
    assert isinstance(encoder, SentenceTransformerEncoder)
    found = passages(Path(os.environ["RAG_EVAL_DATA"]), arguments.set, encoder, arguments.passages)
    texts, spans = found.texts, found.spans
    encoder.encode_passages(texts[:16], spans[:16])
    multiply(Clock(), Clock(), 2)
    counted, together, apart, encoding = Counted(encoder), Clock(), Clock(), Clock()
    multiply(together, apart)
    for at in range(0, len(texts), AT_ONCE):
        with counted.timed(), encoding.running():
            encoder.encode_passages(texts[at : at + AT_ONCE], spans[at : at + AT_ONCE])
        multiply(together, apart)
    encoding.operations = counted.operations(encoder._model[0].auto_model.config)  # noqa: SLF001
    asked = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    best = max(together, apart, key=Clock.rate)
    rows = {
        "passages": f"{len(texts)}, {sum(counted.lengths) / len(texts):.0f} tokens each",
        "passages per second": f"{len(texts) / encoding.wall:.1f}",
        f"plain products, {SIZE} × {SIZE}, all cores": f"{together.rate() / 1e9:.1f} GFLOP/s",
        "… each core at its own": f"{apart.rate() / 1e9:.1f} GFLOP/s",
        "encoding, the passages' own tokens": f"{encoding.rate() / 1e9:.1f} GFLOP/s",
        "share of the faster plain products' rate": f"{encoding.rate() / best.rate():.1%}",
        "… by processor time": f"{encoding.per_core() / best.per_core():.1%}",
        "time in the tokenizer": f"{counted.seconds / encoding.wall:.1%}",
    }
    lines = [
        "# How near encoding comes to multiplying matrices\n",
        f"`python -m benchmarks.index.indexing {arguments.set}`, on commit {commit}, "
        f"{torch.get_num_threads()} threads.\n",
        "| | |\n|---|---|",
        *(f"| {what} | {value} |" for what, value in rows.items()),
    ]
    print("\n".join(lines))
    if arguments.results:
        (arguments.results / "indexing.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

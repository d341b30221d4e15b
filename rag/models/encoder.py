"""SEAM Encoder: passages and questions → unit vectors.

Sentence vectors come out of the passage's own forward pass: the mean of the sentence's token
vectors ("late" pooling, after Günther et al. 2024, "Late Chunking", section 3).
"""

from __future__ import annotations

import math
import os
import re
import sys
import threading
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models import checksums
from rag.models import files as models
from rag.models.packed_bert import packed
from rag.types import Vectors

BLOCK = 200_000  # characters tokenized at once
FEW_TEXTS = 4  # texts, such as a question, that are encoded by one core, for others have theirs too
MANY = 64  # so many are an index that is embedded: what a question needs comes first
NICE = 10  # of the threads that embed it
BATCH_TOKENS = 1_024  # of one forward pass, about; more is not faster
Spans = Sequence[tuple[int, int]]  # character offsets, half-open
Offsets: TypeAlias = NDArray[np.int64]  # (t, 2), half-open


class Encoder(Protocol):
    """Turns text into vectors of length 1. Safe to use from several threads."""

    fingerprint: str  # sha256 of the weights

    @property
    def dimensions(self) -> int:
        """Return the length of its vectors."""

    @property
    def window(self) -> int:
        """Return the most tokens of title and sentences together, special tokens not counted."""

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Return the character offsets of the tokens of a text of any length."""

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        """Return passage vectors (n, dim) and, per passage, its spans' vectors (m, dim)."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors (n, dim) of questions or sentences."""


class HashedEncoder:
    """Bag of words, each word hashed to one dimension: no model, so ranking can be predicted."""

    dimensions = 512
    window = 10_000
    fingerprint = "hashed-512"

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        parts = [
            self.encode_texts([text[start:end] for start, end in of_text])
            for text, of_text in zip(texts, spans, strict=True)
        ]
        return self.encode_texts(texts), parts

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[zlib.crc32(word.encode()) % self.dimensions] += 1
        return _unit(vectors)


class SentenceTransformerEncoder:
    """Any sentence-transformers model with a fast tokenizer."""

    def __init__(self, folder: Path) -> None:
        # Heavy, and only needed by who chooses this encoder.
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        progress: Any = logging
        progress.disable_progress_bar()  # one for every start of a command would be noise
        try:
            self._model: Any = SentenceTransformer(
                str(folder), device="cpu", local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError(f"Cannot load the encoder in {folder}: {_line(error)}.") from error
        self._tokenizer: Any = self._model.tokenizer
        self._lock = threading.Lock()  # fast tokenizers change settings while they run
        self._threads = torch.get_num_threads()
        self._packed = packed(getattr(self._model[0], "auto_model", None))
        special = self._tokenizer.num_special_tokens_to_add()
        self.window = int(self._model.max_seq_length or 512) - special
        self.dimensions = int(cast("int", self._model.get_embedding_dimension()))
        self.fingerprint = checksums.fingerprint(folder)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for block, stop in _blocks(text):
            with self._lock:
                encoded = self._tokenizer(
                    text[block:stop],
                    add_special_tokens=False,
                    return_offsets_mapping=True,
                    verbose=False,
                )
            found.extend((block + start, block + end) for start, end in encoded["offset_mapping"])
        return found

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        parts = [np.zeros((0, self.dimensions), np.float32)] * len(texts)
        for i, pooled, tokens, offsets in self._forward(texts):
            vectors[i] = pooled
            parts[i] = _pool(tokens, offsets, spans[i])
        return _unit(vectors), parts

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for i, pooled, _, _ in self._forward(texts):
            vectors[i] = pooled
        return _unit(vectors)

    def _forward(self, texts: Sequence[str]) -> Iterator[tuple[int, Vectors, Vectors, Offsets]]:
        """Yield of each text, in any order: its number, its pooled vector (dim,), the vectors of
        its tokens (t, dim), the special ones too, and their offsets (t, 2).
        """
        import torch

        if not texts:
            return
        with self._lock:
            encoded = self._tokenizer(
                list(texts),
                truncation=True,
                max_length=int(self._model.max_seq_length),
                return_offsets_mapping=True,
                return_attention_mask=True,
            )
        offsets = encoded.pop("offset_mapping")
        cores = 1 if len(texts) <= FEW_TEXTS else self._threads
        batches = _batches([len(of) for of in offsets], cores)
        # Each core works at batches of its own: at one together, every step waits for the slowest.
        # Threads for this call alone: it does not queue behind another one's batches.
        try:
            if cores == 1:
                torch.set_num_threads(1)
            with ThreadPoolExecutor(cores, "encoder", _begin, (len(texts),)) as pool:
                run = map if cores == 1 else pool.map
                done = run(self._batch, repeat(encoded), batches)
                for rows, vectors in zip(batches, done, strict=True):
                    for i, (pooled, tokens) in zip(rows, vectors, strict=True):
                        yield i, pooled, tokens, np.array(offsets[i], np.int64)
        finally:
            torch.set_num_threads(self._threads)  # torch gives it to threads to come, too

    def _batch(self, encoded: Any, rows: Sequence[int]) -> list[tuple[Vectors, Vectors]]:
        """Return the pooled vector and the tokens' vectors of some of the texts."""
        import torch

        some = {name: [values[i] for i in rows] for name, values in encoded.items()}
        modules = list(self._model)
        with torch.inference_mode():
            if self._packed:
                tokens = self._packed(some["input_ids"])
                pad = torch.nn.utils.rnn.pad_sequence
                features = {
                    "token_embeddings": pad(tokens, batch_first=True),
                    "attention_mask": pad(
                        [torch.tensor(mask) for mask in some["attention_mask"]], batch_first=True
                    ),
                }
                modules = modules[1:]
            else:
                with self._lock:
                    features = dict(self._tokenizer.pad(some, return_tensors="pt"))
            for module in modules:
                features = module(features)
        inside = features["attention_mask"].numpy().astype(bool)  # (n, tokens)
        every = features["token_embeddings"].numpy()
        pooled = features["sentence_embedding"].numpy()
        return [(pooled[n], every[n][inside[n]]) for n in range(len(rows))]


def _begin(texts: int) -> None:
    """Let this new thread compute by itself, and after others if there are many texts."""
    import torch

    torch.set_num_threads(1)
    if texts > MANY and sys.platform == "linux":  # elsewhere only whole processes have a priority
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _batches(lengths: Sequence[int], cores: int) -> list[list[int]]:
    """Divide texts, by number, into batches of about as many tokens, as many for each core; texts
    of about the same length together, so that there is little padding.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    tokens = np.cumsum([lengths[i] for i in order])
    parts = cores * math.ceil(tokens[-1] / BATCH_TOKENS / cores)
    ends = np.searchsorted(tokens, tokens[-1] * np.arange(1, parts) / parts, side="right")
    return [part.tolist() for part in np.split(np.array(order), ends) if len(part)]


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    # Whole lines where possible: tokenizing 10 MB at once takes 2 GB.
    start = 0
    while start < len(text):
        stop = start + BLOCK
        if stop < len(text):
            stop = 1 + max(text.rfind("\n", start, stop), text.rfind(" ", start, stop)) or stop
        yield start, stop
        start = stop


def _pool(tokens: Vectors, offsets: Any, spans: Spans) -> Vectors:
    out = np.zeros((len(spans), tokens.shape[1]), np.float32)  # (m, dim)
    starts, ends = offsets[:, 0], offsets[:, 1]  # special tokens are (0, 0)
    for row, (start, end) in zip(out, spans, strict=True):
        inside = (starts < end) & (ends > start)
        if inside.any():
            row[:] = tokens[inside].mean(axis=0)
    return _unit(out)


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def load_encoder(name: str, models_dir: Path | None = None) -> Encoder:
    """Return the encoder of that name ("hashed", a catalogue name, hub id or folder).

    Raises ModelError when its files are missing or damaged.
    """
    if name == "hashed":
        return HashedEncoder()
    return SentenceTransformerEncoder(models.locate(name, models_dir))

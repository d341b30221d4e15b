"""SEAM Reader: a question and windows of text → how well each sentence answers it, and its words.

An extractive question-answering model (Devlin et al. 2019, "BERT", section 4.3): a start and an end
score for each token, and for [CLS], which stands for no answer. A sentence's score is that of its
best span less that of no answer.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rag.config import Config
from rag.errors import ModelError
from rag.models import checksums
from rag.models import files as models
from rag.types import Vectors

WEIGHTS = Path(__file__).parent / "weights" / "reader"
SHA256 = "b2838130be4514ea4b287a3ecb108aca5d2fff3903150b4700a7977654119808"
ENCODER = "all-MiniLM-L6-v2"  # whose tokenizer and word vectors our own reader shares
MOST_TOKENS = 192  # of a question and a window
MOST_QUESTION_TOKENS = 96
LONGEST_ANSWER = 30  # tokens
NOTHING = -20.0  # score of a sentence that the window's tokens do not reach


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says of one sentence; offsets are those of its window."""

    score: float  # of its best span less that of no answer, in logits
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring sentences of an article, and their places in the text."""

    text: str
    sentences: tuple[tuple[int, int], ...]


class Reader(Protocol):
    """Reads windows with a question. Safe to use from several threads."""

    def read(self, question: str, windows: Sequence[Window]) -> list[list[Reading]]:
        """Return a reading of each sentence of each window. Raises ModelError."""


class ExtractiveReader:
    """A question-answering model of transformers, from a local folder; loaded when it first reads.

    Without a folder, the one that comes with the package.
    """

    def __init__(self, folder: Path | None = None, models_dir: Path | None = None) -> None:
        self._folder, self._models_dir = folder, models_dir
        self._lock = threading.Lock()  # fast tokenizers change settings while they run

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The tokenizer and the model."""
        import transformers
        from safetensors import SafetensorError

        folder = self._folder or WEIGHTS
        transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        where = {"local_files_only": True, "trust_remote_code": False}
        try:
            if self._folder:
                kind = transformers.AutoModelForQuestionAnswering
                model: Any = kind.from_pretrained(folder, **where)
                tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, **where)
            else:
                shared = models.locate(ENCODER, self._models_dir)
                model = _packaged(shared)
                tokenizer = transformers.AutoTokenizer.from_pretrained(shared, **where)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            line = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise ModelError(f"Cannot load the reader in {folder}: {line}.") from error
        return tokenizer, model.eval()

    def read(self, question: str, windows: Sequence[Window]) -> list[list[Reading]]:
        import torch

        if not windows:
            return []
        with self._lock:
            tokenizer, model = self._loaded
            encoded = tokenizer(
                [_beginning(question, tokenizer)] * len(windows),
                [window.text for window in windows],
                truncation="only_second",
                max_length=MOST_TOKENS,
                return_offsets_mapping=True,
                padding=True,
                return_tensors="pt",
            )
        offsets = encoded.pop("offset_mapping").numpy()  # (n, t, 2)
        with torch.inference_mode():
            out = model(**encoded)
        starts, ends = out.start_logits.float().numpy(), out.end_logits.float().numpy()  # (n, t)
        found = []
        for n, window in enumerate(windows):
            of_text = np.array([part == 1 for part in encoded.sequence_ids(n)])
            null = float(starts[n, 0] + ends[n, 0])
            found.append(
                [
                    _best_span(starts[n], ends[n], offsets[n], of_text, sentence, null)
                    for sentence in window.sentences
                ]
            )
        return found


def _beginning(question: str, tokenizer: Any) -> str:
    """Return as much of a question as leaves room for a window."""
    places = tokenizer(question, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    inside = [end for start, end in places if end > start]
    return (
        question[: inside[MOST_QUESTION_TOKENS - 1]]
        if len(inside) > MOST_QUESTION_TOKENS
        else question
    )


def _best_span(
    starts: Vectors,
    ends: Vectors,
    offsets: Any,
    of_text: Any,
    sentence: tuple[int, int],
    null: float,
) -> Reading:
    """Return the reading of a sentence, given the scores (t,) and offsets (t, 2) of the tokens."""
    first, last = sentence
    tokens = np.flatnonzero(of_text & (offsets[:, 0] < last) & (first < offsets[:, 1]))
    if not len(tokens):
        return Reading(NOTHING, first, first)
    pairs = starts[tokens][:, None] + ends[tokens][None, :]  # (m, m)
    allowed = np.triu(np.ones_like(pairs)) - np.triu(np.ones_like(pairs), LONGEST_ANSWER) > 0
    pairs = np.where(allowed, pairs, -np.inf)
    i, j = np.unravel_index(int(pairs.argmax()), pairs.shape)
    return Reading(
        float(pairs[i, j]) - null, int(offsets[tokens[i], 0]), int(offsets[tokens[j], 1])
    )


def _packaged(shared: Path) -> Any:
    """Return the package's own model, with the word vectors of an encoder."""
    import torch
    import transformers
    from safetensors.torch import load_file

    weights = WEIGHTS / "model.safetensors"
    if not checksums.is_intact(weights, SHA256):
        raise ModelError(f"The reader's weights are missing or damaged: {weights}.")
    config = transformers.BertConfig.from_pretrained(WEIGHTS, local_files_only=True)
    model: Any = transformers.BertForQuestionAnswering(config)
    vectors = load_file(shared / "model.safetensors")
    own = load_file(weights) | {
        f"{model.base_model_prefix}.{name}": v
        for name, v in vectors.items()
        if name.startswith("embeddings.")
    }
    needed = model.state_dict()
    model.load_state_dict({name: own[name].to(torch.float32) for name in needed})
    return model


def load_reader(config: Config) -> Reader | None:
    """Return the reader that the settings name; None for "none", and where sentences are not
    encoded by a model either. Its model is loaded when it first reads.

    Raises ModelError when the named one is not on this machine.
    """
    if config.reader == "none" or config.encoder == "hashed":
        return None
    if config.reader == "default":
        return ExtractiveReader(models_dir=config.models_dir)
    return ExtractiveReader(models.locate(config.reader, config.models_dir))

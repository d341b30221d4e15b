"""SEAM Reader: a question and windows of text → how well each sentence answers it, and its words.

An extractive question-answering model (Devlin et al. 2019, "BERT", section 4.3): a start and an end
score for each token, and for [CLS], which stands for no answer. A sentence's score is that of its
best span less that of no answer.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

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

    fingerprint: str  # sha256 of the weights

    def read(self, question: str, windows: Sequence[Window]) -> list[list[Reading]]:
        """Return a reading of each sentence of each window. Raises ModelError."""


class ExtractiveReader:
    """A question-answering model of transformers, from a local folder.

    ``shared``: the folder of the encoder whose word vectors and tokenizer it has, where its own
    weights leave them out. Raises ModelError.
    """

    def __init__(self, folder: Path, shared: Path | None = None) -> None:
        import transformers
        from safetensors import SafetensorError

        transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        where = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                shared or folder, **where
            )
            if shared:
                self._model: Any = _with_shared(folder, shared)
            else:
                self._model = transformers.AutoModelForQuestionAnswering.from_pretrained(
                    folder, **where
                )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            line = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise ModelError(f"Cannot load the reader in {folder}: {line}.") from error
        self._model.eval()
        self._lock = threading.Lock()  # fast tokenizers change settings while they run
        self.fingerprint = checksums.fingerprint(folder)

    def read(self, question: str, windows: Sequence[Window]) -> list[list[Reading]]:
        import torch

        if not windows:
            return []
        with self._lock:
            cut = self._tokenizer(question, truncation=True, max_length=MOST_QUESTION_TOKENS)
            asked = self._tokenizer.decode(cut["input_ids"], skip_special_tokens=True)
            encoded = self._tokenizer(
                [asked if len(cut["input_ids"]) == MOST_QUESTION_TOKENS else question]
                * len(windows),
                [window.text for window in windows],
                truncation="only_second",
                max_length=MOST_TOKENS,
                return_offsets_mapping=True,
                padding=True,
                return_tensors="pt",
            )
        offsets = encoded.pop("offset_mapping").numpy()  # (n, t, 2)
        with torch.inference_mode():
            out = self._model(**encoded)
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


def _with_shared(folder: Path, shared: Path) -> Any:
    """Return the model of a folder whose word vectors are those of an encoder."""
    import torch
    import transformers
    from safetensors.torch import load_file

    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    model: Any = transformers.AutoModelForQuestionAnswering.from_config(config)
    own = load_file(folder / "model.safetensors")
    words = load_file(shared / "model.safetensors")
    prefix = f"{model.base_model_prefix}."
    own |= {f"{prefix}{name}": v for name, v in words.items() if name.startswith("embeddings.")}
    needed = model.state_dict()
    model.load_state_dict({name: own[name].to(torch.float32) for name in needed})
    return model


def load_reader(name: str, models_dir: Path | None = None) -> Reader | None:
    """Return the reader of that name ("default", "none", a hub id or folder); None for "none".

    Raises ModelError when its files are missing or damaged.
    """
    if name == "none":
        return None
    if name == "default":
        if not checksums.is_intact(WEIGHTS / "model.safetensors", SHA256):
            raise ModelError(f"The reader's weights ({WEIGHTS}) are missing or damaged.")
        return ExtractiveReader(WEIGHTS, models.locate(ENCODER, models_dir))
    return ExtractiveReader(models.locate(name, models_dir))

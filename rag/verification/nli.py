"""A natural-language-inference model through transformers: does a premise entail a claim?"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

from rag.errors import ModelError

MOST_TOKENS = 512  # of premise and claim together; models with a shorter window have their own
MOST_CHARACTERS = 20_000  # of a premise or a claim that are tokenized at all
_ENTAILS = re.compile(r"entail\w*|supports?|supported|consistent", re.IGNORECASE)


class NliModel:
    """A sequence classifier from a local folder. Safe to use from several threads.

    One label must be called entailment (or supported, consistent); a model with a single output is
    read as its logit (as Vectara's and other factual-consistency scorers are). Raises ModelError.
    """

    def __init__(self, folder: Path) -> None:
        import transformers
        from safetensors import SafetensorError

        transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        where = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, **where)
            model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder, **where
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"Cannot load the NLI model in {folder}: {_line(error)}.") from error
        self._model = model.eval()
        self._lock = threading.Lock()  # fast tokenizers change settings while they run
        self._label = _entailment(model.config.id2label, folder)
        window = getattr(model.config, "max_position_embeddings", None) or MOST_TOKENS
        self._window = min(MOST_TOKENS, window, int(self._tokenizer.model_max_length))

    def entailment(self, premise: str, claim: str) -> float:
        """Return the probability, 0..1, that the premise entails the claim.

        What is longer than the model's window is cut at its end, the longer of the two first.
        """
        import torch

        with self._lock:
            tokens = self._tokenizer(
                premise[:MOST_CHARACTERS],
                claim[:MOST_CHARACTERS],
                truncation="longest_first",
                max_length=self._window,
                return_tensors="pt",
            )
        with torch.inference_mode():
            logits = self._model(**tokens).logits[0].float()  # (labels,)
        chances = torch.sigmoid(logits) if len(logits) == 1 else torch.softmax(logits, 0)
        return float(chances[self._label])


def _entailment(labels: dict[int, str], folder: Path) -> int:
    if len(labels) == 1:
        return 0
    indices = [n for n, label in labels.items() if _ENTAILS.fullmatch(str(label))]
    if len(indices) != 1:
        raise ModelError(
            f"The model in {folder} has no label for entailment (it has "
            f"{', '.join(map(str, labels.values()))}): choose a model trained on NLI."
        )
    return int(indices[0])


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:200].rstrip(".") if str(error) else type(error).__name__

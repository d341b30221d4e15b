"""What a model has made of the fixed part of the prompt, kept on disk between two starts.

Reading it takes two slow cores nine seconds, loading what came out of it a few milliseconds.
Loading it before every question also makes each answer independent of the questions before: a
cache that happens to hold more of the prompt is computed in other batches, and rounds differently.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rag.models import checksums as hashes_module
from rag.models import files as models
from rag.models.checksums import sha256_of

KEPT = 4  # files; older ones are removed


@dataclass(frozen=True, slots=True)
class PromptCache:
    """One file in a folder, with its sha256 beside it: llama.cpp would trust a damaged one."""

    folder: Path
    name: str

    @classmethod
    def of(
        cls, models_dir: Path | None, model: Path, context_tokens: int, prompt: object
    ) -> PromptCache:
        """Return the cache of a prompt as this model, in this version of llama.cpp, reads it."""
        what = [hashes_module.fingerprint(model), version("xllamacpp"), context_tokens, prompt]
        digest = hashlib.sha256(json.dumps(what).encode()).hexdigest()
        return cls((models_dir or models.default_dir()) / "prompts", f"{digest[:32]}.kv")

    @property
    def draft(self) -> str:
        """Return the file name under which it is to be written, in the same folder."""
        return f"{self.name}.{os.getpid()}"

    def prepare(self) -> bool:
        """Make the folder; return whether it can be written."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
        return os.access(self.folder, os.W_OK)

    def intact(self) -> bool:
        """Return whether there is such a file, and it is as it was written."""
        with suppress(OSError):
            return self._sum.read_text() == sha256_of(self.folder / self.name)
        return False

    def publish(self) -> None:
        """Put the written draft in place. A full disk means only that there is no cache."""
        with suppress(OSError):
            written = self.folder / self.draft
            total = sha256_of(written)
            written.replace(self.folder / self.name)
            self._sum.write_text(total)
            files = sorted(self.folder.glob("*.kv"), key=lambda file: -file.stat().st_mtime_ns)
            for old in files[KEPT:]:
                old.unlink()
                old.with_suffix(".sha256").unlink(missing_ok=True)

    @property
    def _sum(self) -> Path:
        return (self.folder / self.name).with_suffix(".sha256")

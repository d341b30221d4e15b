"""Every setting, in one frozen dataclass. The environment is read only by front ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

FORMAT_VERSION = 3  # of the index on disk; raised when its meaning changes
TERMS_VERSION = 2  # of what rag/text/terms.py makes of a text, which the lexical files hold


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of an index and of the answers made from it."""

    # The index; changing one of these asks for a rebuild.
    encoder: str = "all-MiniLM-L6-v2"  # catalogue name, hub id or local folder
    passage_tokens: int = 128  # most tokens of a passage's sentences
    title_tokens: int = 32  # most tokens of the title in front of each passage
    store: str = "faiss"  # "faiss" or "numpy"

    # Reading articles.
    fields: tuple[tuple[str, str], ...] | None = None  # of JSON and CSV rows: what they hold, and
    # their names, such as (("text", "body"),); None: as the index was made

    # Retrieval.
    candidates: int = 20  # passages whose sentences are ranked
    evidence: int = 10  # sentences returned

    reader: str = "default"  # or "none", a hub id or path

    # Answering.
    # Whether the language model words answers; "auto": where the reader is not sure.
    phrase: Literal["always", "auto", "never"] = "always"
    generator: str = "llamacpp"  # "llamacpp", "transformers", "openai" or "extractive"
    model: str | None = None  # the generator's own default, or a catalogue name, hub id or path
    prompt_sentences: int = 3  # evidence sentences that the language model sees
    prompt_sentences_of_parts: int = 5  # … for a question in parts
    answer_tokens: int = 96  # most tokens of the draft
    context_tokens: int = 2048  # the language model's window
    threads: int | None = None  # None: all cores
    base_url: str | None = None  # of the "openai" generator, such as http://localhost:8000/v1
    api_key: str | None = field(default=None, repr=False)  # of the "openai" generator
    answer_seconds: float = 120.0  # a draft that takes longer is cut off
    accept_errors: float | None = None  # probability; None: rag/answering/confidence.py's choice
    decline_below: float | None = None  # confidence; goes before accept_errors
    verifier: str = "rules"

    # Limits on input.
    article_bytes: int = 10_000_000  # larger files are skipped and reported, and longer texts
    collection_bytes: int = 50_000_000  # … files of several articles, before and after unpacking
    uploads_bytes: int = 2_000_000_000  # all files together that are added in the chat
    question_characters: int = 2_000  # longer questions are refused

    # Places.
    models_dir: Path | None = None  # None: the user's cache directory

    def index_settings(self) -> dict[str, str | int]:
        """The settings that an index records and is checked against."""
        return {
            "format_version": FORMAT_VERSION,
            "encoder": self.encoder,
            "passage_tokens": self.passage_tokens,
            "title_tokens": self.title_tokens,
            "store": self.store,
            "terms_version": TERMS_VERSION,
        }

"""The drafts of the baselines that let the language model read passages, and how each of them
finds out what a draft rests on: by the model's numbers, by similarity, or by its quotes.

The prompts are ours, in the manner of what is cited at each; each has answered and refused
examples, without which a small model neither quotes nor refuses.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path

from rag.answering.draft import DraftSentence, draft_sentences
from rag.config import Config
from rag.errors import ModelError
from rag.generation.generators import Generator
from rag.generation.prompts import NOT_FOUND, SAMPLING, Messages, plain
from rag.models.checksums import read_json
from rag.models.encoder import Encoder
from rag.text.terms import words
from rag.types import Evidence, Turn, Vectors

NUMBERS = (  # as LlamaIndex's CitationQueryEngine asks
    "Answer the question from the numbered passages alone, in one or two sentences. After each "
    "statement write the number of the passage that says it, like [2]. If the passages do not "
    f'answer the question, say only "{NOT_FOUND}".'
)
QUOTES = (
    'Answer the question from the passages alone. Write "Answer:" and one or two sentences. Then, '
    'on new lines, write "Quote:" and, copied word for word, a sentence of the passages that your '
    f'answer rests on. If the passages do not answer the question, write "Answer: {NOT_FOUND}".'
)
_PASSAGES = (
    "[1] The bridge was closed on Friday after cracks were found in two pillars. It carries "
    "12,000 cars a day.\n"
    "[2] The town is short of money. Mayor Ann Okoye said repairs would cost about $4 million.\n"
)
_COST = f"{_PASSAGES}Question: How much will it cost to mend the bridge?"
_CAUSE = f"{_PASSAGES}Question: Why was the bridge closed?"
_BUILDER = f"{_PASSAGES}Question: Who built the bridge?"
EXAMPLES = {
    NUMBERS: (
        (_COST, "The repairs will cost about $4 million, Mayor Ann Okoye said. [2]"),
        (_BUILDER, NOT_FOUND),
    ),
    QUOTES: (
        (
            _COST,
            "Answer: The repairs will cost about $4 million, Mayor Ann Okoye said.\n"
            "Quote: Mayor Ann Okoye said repairs would cost about $4 million.",
        ),
        (_BUILDER, f"Answer: {NOT_FOUND}"),
        (
            _CAUSE,
            "Answer: It was closed because two of its pillars had cracks.\n"
            "Quote: The bridge was closed on Friday after cracks were found in two pillars.",
        ),
    ),
}
QUOTE = re.compile(r"(?:^|\s)(?:[-*•]\s*)?quotes?(?:\s*\d+)?\s*:", re.IGNORECASE)

# RAGFlow's insert_citations (rag/nlp/search.py): starts at .63, times .8 while above .3.
THRESHOLD, LOWERED, LEAST = 0.63, 0.8, 0.3
# Kotaemon's find_text (kotaemon/indices/qa/utils.py): blocks of a fifth of the quote count, and
# they must come to 35 % of it; nothing of five characters or fewer.
BLOCK, ACCEPTED, SHORTEST = 0.2, 0.35, 5

REFUSAL = re.compile(
    r"^(?:i|we) (?:do not|don't|cannot|can't|could not|couldn't|am not able|am unable)\b"
    r"|^(?:there is )?no (?:information|mention|answer)\b|\binsufficient information\b"
    r"|\bnone of the (?:sources|passages|sentences)\b|\bcannot be (?:determined|answered)\b"
    r"|\b(?:sources?|passages?|context)\b(?: \w+){0,3} (?:do not|don't|does not|doesn't|cannot)\b"
    r"|^not found\b|\b(?:sentences?|articles?|text|passages?|information) (?:provided )?"
    r"(?:do|does|did)(?: not|n't) (?:say|mention|state|provide|contain|specify|give|answer)"
    r"|\b(?:is|are|was|were) not (?:mentioned|specified|stated|provided|found|given)\b"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the model wrote, and how long it took when it did."""

    text: str
    model: str
    first_token: float  # milliseconds
    generate: float  # milliseconds


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer, and what it cites."""

    text: str
    sources: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Drafts:
    """Drafts on disk, by the sha256 of everything that they depend on."""

    folder: Path
    config: Config
    generator: Generator | None

    def write(self, messages: Messages, tokens: int) -> Draft:
        """Return the draft for these messages, from the disk if it is there. Raises ModelError."""
        if self.generator is None:
            raise ModelError(
                f"This baseline needs a language model, and the generator "
                f"{self.config.generator!r} has none: choose another --generator."
            )
        if not self.generator.model:  # a server's is known only when it has been asked
            self.generator.warm_up()
        path = self.folder / f"{self._key(self.generator.model, messages, tokens)}.json"
        known = read_json(path)
        if set(known) == set(Draft.__slots__):
            return Draft(**known)
        draft = _ask(self.generator, messages, tokens)
        if draft.generate < 1000 * self.config.answer_seconds:  # not one that was cut off
            self.folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(asdict(draft)), encoding="utf-8")
            part.replace(path)
        return draft

    def _key(self, name: str, messages: Messages, tokens: int) -> str:
        config = self.config
        model = [config.generator, name, config.model, config.base_url]
        what = json.dumps([model, messages, tokens, SAMPLING])
        return hashlib.sha256(what.encode()).hexdigest()


def _ask(generator: Generator, messages: Messages, tokens: int) -> Draft:
    begun, first, text = time.perf_counter(), 0.0, ""
    for piece in generator.complete(messages, tokens, threading.Event()):
        first = first or time.perf_counter() - begun
        text += piece
    whole = time.perf_counter() - begun
    return Draft(text, generator.model, round(1000 * first, 1), round(1000 * whole, 1))


def prompt(
    system: str, question: str, passages: Sequence[Evidence], history: Sequence[Turn]
) -> Messages:
    """Return the messages that ask for a draft; ``system`` is NUMBERS or QUOTES."""
    messages = [{"role": "system", "content": system}]
    for asked, answered in EXAMPLES[system]:
        messages.append({"role": "user", "content": asked})
        messages.append({"role": "assistant", "content": answered})
    lines = [f"[{n}] {plain(passage.quote)}" for n, passage in enumerate(passages, start=1)]
    before = [turn.text for turn in history if turn.role == "user"][-1:]
    lines += [f"Question before: {plain(text)}" for text in before]
    content = "\n".join([*lines, f"Question: {plain(question)}"])
    return [*messages, {"role": "user", "content": content}]


def refuses(text: str) -> bool:
    """Return whether a sentence says, in the model's own words, that there is no answer."""
    return bool(REFUSAL.search(" ".join(words(text))))


def cite_numbers(draft: str, passages: Sequence[Evidence]) -> list[Statement]:
    """Cite the passages whose numbers the model wrote, whole and unchecked. A number that no
    passage has stays in the text.
    """

    def statement(sentence: DraftSentence) -> Statement:
        numbers = dict.fromkeys(sentence.hints)
        known = [n for n in numbers if 1 <= n <= len(passages)]
        others = "".join(f" [{n}]" for n in numbers if n not in known)
        return Statement(sentence.text + others, tuple(passages[n - 1] for n in known))

    return [statement(sentence) for sentence in draft_sentences(draft, complete=True)]


def cite_similar(draft: str, sentences: Sequence[Evidence], encoder: Encoder) -> list[Statement]:
    """Cite for each sentence of the draft the one most similar to it by cosine, if it reaches a
    threshold that is lowered until something is cited: RAGFlow's practice, but of sentences
    instead of chunks, and without its tenth of word overlap.
    """
    texts = [sentence.text for sentence in draft_sentences(draft, complete=True)]
    if not texts or not sentences:
        return [Statement(text) for text in texts]
    vectors = encoder.encode_texts(texts)  # (texts, dim)
    cosines: Vectors = vectors @ encoder.encode_texts([s.quote for s in sentences]).T
    most = cosines.max(axis=1)  # (texts,)
    threshold = THRESHOLD
    while most.max() < threshold and threshold * LOWERED > LEAST:
        threshold *= LOWERED
    best = cosines.argmax(axis=1)  # (texts,)
    return [
        Statement(text, (sentences[best[n]],) if most[n] >= threshold else ())
        for n, text in enumerate(texts)
    ]


def cite_quotes(draft: str, passages: Sequence[Evidence]) -> list[Statement]:
    """Cite what the model's quotes match, for every sentence of the answer before them."""
    said, *rest = QUOTE.split(draft)
    lines = [line.strip(" \t\"'“”‘’") for part in rest for line in part.split("\n")]
    found = [match for line in lines if (match := match_quote(line, passages))]
    sources = tuple(dict.fromkeys(found))
    return [Statement(s.text, sources) for s in draft_sentences(said, complete=True)]


def match_quote(quote: str, passages: Sequence[Evidence]) -> Evidence | None:
    """Return the part of the passages from the first to the last block that it shares with the
    quote, or None when these come to less than 35 % of the quote.
    """
    closest: tuple[int, Evidence | None] = (0, None)  # characters matched, where
    for passage in passages:
        text = re.sub(r"\s", " ", passage.quote)  # as long as before
        matcher = SequenceMatcher(None, quote, text, autojunk=False)
        blocks = [
            block
            for block in matcher.get_matching_blocks()
            if block.size > max(BLOCK * len(quote), SHORTEST)
        ]
        matched = sum(block.size for block in blocks)
        if matched >= ACCEPTED * len(quote) and matched > closest[0]:
            closest = matched, part_of(passage, blocks[0].b, blocks[-1].b + blocks[-1].size)
    return closest[1]


def part_of(whole: Evidence, start: int, end: int) -> Evidence:
    """Return a part of a quote; the offsets are into the quote."""
    return Evidence(
        whole.article,
        whole.title,
        whole.published,
        whole.start + start,
        whole.start + end,
        whole.quote[start:end],
        whole.score,
    )

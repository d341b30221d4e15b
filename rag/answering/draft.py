"""The draft of an answer → its sentences, without the numbers that a model wrote into them."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass

from rag.generation.prompts import NOT_FOUND
from rag.retrieval.question import has_parts
from rag.text.sentences import SENTENCE_END, split
from rag.text.terms import words
from rag.text.untrusted import MARKERS, without_markers
from rag.types import Evidence

LABEL = re.compile(r"^(?:[-*•]\s+|\d+[.)]\s+|answer\s*:\s*)", re.IGNORECASE)
SHORT_ANSWER = 60  # characters that an answer without a full stop may have and yet be whole
ALSO = 0.97  # ``extract`` adds the second sentence if it scores at least this much of the first


def extract(question: str, evidence: Sequence[Evidence]) -> Generator[str]:
    """Yield a draft without a language model: the best sentence, and the second if it is nearly as
    good, or the question is in parts.
    """
    for n, sentence in enumerate(evidence[:2]):
        near = sentence.score >= ALSO * evidence[0].score
        if n and not near and not has_parts(question):
            return
        yield "\n" * n + " ".join(sentence.quote.split())


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence of the draft, without the numbers that the model wrote into it."""

    text: str
    hints: tuple[int, ...]  # those numbers
    finished: bool = True


def draft_sentences(
    draft: str, *, complete: bool, quotes: Collection[str] = ()
) -> list[DraftSentence]:
    """Return the sentences of a draft; of one that still grows, those that cannot change.

    A line that is one of the ``quotes`` stays whole, whatever the splitter would make of it.
    """
    if not complete and draft.rfind("[") > draft.rfind("]"):
        draft = draft[: draft.rfind("[")]  # a number that is still being written
    sentences = []
    lines = draft.split("\n")
    for n, line in enumerate(lines):
        growing = not complete and n == len(lines) - 1
        if " ".join(line.split()) in quotes and not growing:
            sentences.append(DraftSentence(line.strip(), ()))
        else:
            sentences.extend(_sentences_of(line, growing=growing))
    return sentences


def _sentences_of(line: str, *, growing: bool) -> Iterator[DraftSentence]:
    # "… said. [2]" → "… said [2].": the number belongs to the sentence before it.
    moved = re.sub(r"([.!?…][\"'”’)]*)((?:\s*\[[\d,;\s–-]+\])+)", r"\2\1", line)
    spans = split(moved)
    for n, span in enumerate(spans):
        last = n == len(spans) - 1
        if last and growing:
            return  # more of it, or its number, may follow
        piece = moved[span.start : span.end]
        hints = [int(d) for m in MARKERS.finditer(piece) for d in re.findall(r"\d{1,3}", m[1])]
        text = LABEL.sub("", without_markers(piece)).strip()
        if re.search(r"\w", text):
            ended = bool(SENTENCE_END.search(text)) or not last or len(text) < SHORT_ANSWER
            yield DraftSentence(text, tuple(hints), ended)


def says_not_found(text: str) -> bool:
    """Return whether a sentence of the draft is the refusal that the prompt asks for, word for
    word: "The missing climber was not found." is an answer.
    """
    return words(text) == words(NOT_FOUND)


YES_OR_NO = re.compile(r"(yes|no)\b[,.:;–—-]*\s*", re.IGNORECASE)


def says_yes_or_no(text: str) -> bool:
    """Return whether a sentence of the draft begins with Yes or No."""
    return bool(YES_OR_NO.match(text))


def without_yes_or_no(text: str) -> str:
    """Return a sentence of the draft without the Yes or No that begins it."""
    match = YES_OR_NO.match(text)
    rest = text[match.end() :] if match else text
    return rest[:1].upper() + rest[1:]

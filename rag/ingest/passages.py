"""Article → Passages of whole consecutive sentences that fit the encoder's window."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from rag.text.sentences import split
from rag.types import Article, Passage, Sentence


def make_passages(
    article: Article, token_spans: Sequence[tuple[int, int]], most_tokens: int
) -> tuple[Passage, ...]:
    """Pack the sentences of the body into passages of at most ``most_tokens`` tokens.

    ``token_spans`` are the encoder's tokens of ``article.text``, as (start, end) offsets. A
    sentence that alone is longer is cut at its last word (or else token) that fits, so that no
    part of it is lost. Every sentence is in exactly one passage. Neighbouring passages are kept
    about equally long, since a short rest at the end of an article embeds badly.
    """
    starts = [start for start, _ in token_spans]
    ends = [end for _, end in token_spans]

    def count(start: int, end: int) -> int:
        return max(0, bisect_left(starts, end) - bisect_right(ends, start))

    sentences: list[tuple[Sentence, int]] = []
    for sentence in split(article.text, article.body_start):
        for piece in _cut(article.text, sentence, starts, ends, most_tokens):
            sentences.append((piece, count(piece.start, piece.end)))  # noqa: PERF401
    total = sum(tokens for _, tokens in sentences)
    target = total / max(1, -(-total // most_tokens))
    return tuple(_pack(sentences, target, most_tokens))


def _pack(
    sentences: Sequence[tuple[Sentence, int]], target: float, most_tokens: int
) -> Iterator[Passage]:
    current: list[Sentence] = []
    used = 0
    for sentence, tokens in sentences:
        overshoot = used + tokens - target
        if current and (used + tokens > most_tokens or overshoot > target - used):
            yield Passage(tuple(current))
            current, used = [], 0
        current.append(sentence)
        used += tokens
    if current:
        yield Passage(tuple(current))


def _cut(
    text: str, sentence: Sentence, starts: list[int], ends: list[int], most_tokens: int
) -> Iterator[Sentence]:
    start = sentence.start
    while True:
        first = bisect_right(ends, start)
        beyond = first + most_tokens  # the first token that does not fit
        if beyond >= len(starts) or starts[beyond] >= sentence.end:
            break
        limit = starts[beyond]
        space = max(text.rfind(" ", start + 1, limit + 1), text.rfind("\n", start + 1, limit + 1))
        cut = space if space > start + (limit - start) // 2 else limit
        yield Sentence(start, start + len(text[start:cut].rstrip()))
        start = cut
        while text[start].isspace():
            start += 1
    yield Sentence(start, sentence.end)

"""Text → sentence spans, lossless: spans are in order, do not overlap, and only white space lies
between them. Also used on drafts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sentencex

from rag.types import Sentence

LINE = re.compile(r"[^\n\r\u2028\u2029\f]+")
# Where a line ends although its sentence goes on, as in text wrapped at a fixed column.
SENTENCE_END = re.compile(r"[.!?…:;。！？][\"'”’»)\]]*\Z")
WRAPPED = range(40, 101)  # characters of a line in wrapped text

# Breaks that the splitter makes and should not.
CLOCK = re.compile(r"\b[ap]\.m\.\Z")
AFTER_CLOCK = re.compile(
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov"
    r"|Dec|[ECMP][SD]?T\b|GMT|UTC|BST|ET\b|on\b|local\b)"
)
LIST_MARK = re.compile(r"\(?(?:\d{1,3}|[a-z])[.)]")
CLOSING = re.compile(r"\s*[)\]”’»]+(?=\s|\Z)")

# Breaks that it does not make and should: "(It was late.) Then", "…” She".
MISSED = re.compile(r"(?:[.!?]\)|[.!?]\]|…[”\"]?)(\s+)(?=[\"“‘(]?[A-Z])")


def split(text: str, start: int = 0, end: int | None = None) -> tuple[Sentence, ...]:
    """Return the spans of the sentences in ``text[start:end]``; offsets are into ``text``.

    The splitter is Wikimedia's sentencex, run on one logical line at a time, with corrections for
    its known misses on news text.
    """
    sentences: list[Sentence] = []
    for line_start, line_end in _logical_lines(text, start, len(text) if end is None else end):
        sentences.extend(_split_line(text, line_start, line_end))
    return tuple(sentences)


def _logical_lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    lines = [match.span() for match in LINE.finditer(text, start, end) if match[0].strip()]
    lengths = [line_end - line_start for line_start, line_end in lines]
    within = sum(length in WRAPPED for length in lengths)
    wrapped = len(lines) >= 4 and max(lengths) <= WRAPPED.stop and within >= 0.7 * len(lines)
    first = 0
    for n, (_, line_end) in enumerate(lines):
        following = lines[n + 1 : n + 2]
        if not following or not _goes_on(text, line_end, following[0][0], wrapped=wrapped):
            yield lines[first][0], line_end
            first = n + 1


def _goes_on(text: str, line_end: int, next_start: int, *, wrapped: bool) -> bool:
    gap = text[line_end:next_start]
    if gap.replace("\r\n", "\n").strip(" \t") != "\n":  # a blank line, or a form feed
        return False
    following = text[next_start : next_start + 80].lstrip()
    if SENTENCE_END.search(text[max(0, line_end - 4) : line_end].rstrip()):
        return wrapped  # the splitter decides whether the sentence ends there
    return wrapped or following[:1].islower()


def _split_line(text: str, start: int, end: int) -> Iterator[Sentence]:
    line = LINE_BREAKS.sub(" ", text[start:end])
    lower_case = line.islower()  # then a small letter says nothing
    pieces: list[tuple[int, int]] = []
    for boundary in sentencex.get_sentence_boundaries("en", line):
        piece_start, piece_end = boundary["start_index"], boundary["end_index"]
        if pieces and _belongs_together(line, pieces[-1], piece_start, piece_end, lower_case):
            piece_start = pieces.pop()[0]
        pieces.append((piece_start, piece_end))
    for piece_start, piece_end in pieces:
        cuts = [match.start(1) for match in MISSED.finditer(line, piece_start, piece_end)]
        for left, right in zip([piece_start, *cuts], [*cuts, piece_end], strict=True):
            yield from _trimmed(text, start + left, start + right)


LINE_BREAKS = re.compile(r"[\n\r\u2028\u2029\f]")


def _belongs_together(
    line: str, before: tuple[int, int], start: int, end: int, lower_case: bool
) -> bool:
    # Only the end of what is before: it grows with every piece that is joined to it.
    left, right = line[max(before[0], before[1] - 40) : before[1]].rstrip(), line[start:end]
    if CLOSING.fullmatch(right.rstrip()):
        return True
    if CLOCK.search(left) and AFTER_CLOCK.match(right):
        return True
    if LIST_MARK.fullmatch(left):
        return True
    # "…" she said: a quotation and its attribution are one sentence.
    return right[:1].islower() and not left.endswith((";", ":")) and not lower_case


def _trimmed(text: str, start: int, end: int) -> Iterator[Sentence]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Sentence(start, end)

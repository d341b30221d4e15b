"""The best candidates, read: windows of their sentences go to the reader, and come back as how well
each sentence answers the question, with the words that answer. Each window follows its article's
title, which says what "the dam" is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from rag.index.index import Index
from rag.models.reader import NOTHING, Reader, Reading, Window
from rag.retrieval.question import parts_of
from rag.retrieval.ranking import Candidate, in_order
from rag.text.injection import addresses_model
from rag.types import Article, Sentence

WINDOWS = 12  # that are read for a question
AROUND = 1  # sentences before and after the one that a window is made for
LONGEST_TITLE = 200  # characters
LONGEST = 1_200  # characters of a window; a sentence that is longer is read alone


def read(question: str, best: Sequence[Candidate], reader: Reader, index: Index) -> list[Candidate]:
    """Return the candidates in the order that reading gives them. Raises ModelError."""
    places = _places(best, index)
    windows = [_window(index.article(path), sentences) for path, sentences in places]
    found: dict[tuple[str, int], Reading] = {}  # by article and place; the best of any part
    for part in parts_of(question):
        of_windows = reader.read(part, [window for window, _ in windows])
        for (path, sentences), (_, begin), readings in zip(
            places, windows, of_windows, strict=True
        ):
            for sentence, reading in zip(sentences, readings, strict=True):
                known = found.get((path, sentence.start))
                if known is None or known.score < reading.score:
                    found[path, sentence.start] = replace(
                        reading, start=begin + reading.start, end=begin + reading.end
                    )
    unread = Reading(NOTHING, 0, 0)
    return in_order(
        replace(c, reading=found.get((c.article.path, c.sentence.start), unread)) for c in best
    )


def _places(best: Sequence[Candidate], index: Index) -> list[tuple[str, list[Sentence]]]:
    """Return the windows around the best candidates, as the path of an article and its sentences.

    A candidate that stands in the window of a better one has none of its own.
    """
    places: list[tuple[str, list[Sentence]]] = []
    covered: set[tuple[str, int]] = set()
    for candidate in best:
        path, sentence = candidate.article.path, candidate.sentence
        if (path, sentence.start) in covered:
            continue
        before = [*islice(index.sentences_before(path, sentence.start), AROUND)]
        after = [*islice(index.sentences_from(path, sentence.end), AROUND)]
        sentences = [*reversed(before), sentence, *after]
        if sentences[-1].end - sentences[0].start > LONGEST:
            sentences = [sentence]
        covered.update((path, s.start) for s in sentences)
        places.append((path, sentences))
        if len(places) == WINDOWS:
            break
    return places


def _window(article: Article, sentences: Sequence[Sentence]) -> tuple[Window, int]:
    """Return a window, after its article's title, and where its text would begin in the article."""
    first, last = sentences[0].start, sentences[-1].end
    title = "" if addresses_model(article.title) else article.title[:LONGEST_TITLE] + "\n"
    begin = first - len(title)
    spans = tuple((s.start - begin, s.end - begin) for s in sentences)
    return Window(title + article.text[first:last], spans), begin

"""Question → passages → evidence sentences, each scored by a mix of what dense and lexical
search say about the sentence and about its passage.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.config import Config
from rag.index.index import Index
from rag.index.schema import StoredPassage
from rag.models.encoder import Encoder
from rag.models.reader import Reading
from rag.retrieval.period import Latest, Period, Years, ordinal, overlap, period_of, years_in
from rag.retrieval.question import answer_type
from rag.retrieval.variants import Variants, near_spelling, variants_of
from rag.text.names import names
from rag.text.terms import content_terms, stem, terms, wording, words
from rag.types import AnswerSpan, Article, Copy, Evidence, Hit, Sentence, Vectors

FEATURES = (
    "sentence_cosine",
    "passage_cosine",
    "coverage",  # idf-weighted share of the question's terms in the sentence
    "context_coverage",  # … in the sentence, its neighbours and the title
    "answer_type",  # whether the sentence holds what this kind of question asks for
    "period",  # how close the article was published to the time that the question speaks of
    "asks",  # whether the sentence is a question itself, as in a quiz or a headline
    "lead",  # how close to its beginning the sentence stands in an article with a date: news
    # says what matters first
    "years",  # whether the sentence, or in part one beside it, has a year that the question has
)
# Fitted by `benchmarks/retrieval/retrieval.py squad --fit squad --most 500`; what they reach on
# other sets stands in benchmarks/results/retrieval.md.
WEIGHTS = (6.65, 3.95, 5.81, 5.91, 1.80)
# Set by hand: the sets that may be fitted on have no dates, no quizzes and no news. They are zero
# for most questions and sentences, so they are no part of what scores are divided by.
BY_HAND = (3.0, -3.0, 2.0, 3.0)  # period, asks, lead, years
BESIDE = 1 / 3  # what a year in the sentence before or after counts
LEAD = 500.0  # characters within which an article has said most of what it is about
# What a reading adds to the score for each unit of its logits, of which so many count.
READ, LEAST_READ, MOST_READ = 0.02, -12.0, 12.0
ON_TOPIC = 0.15  # how far below the best score a sentence is still about the question
_WEIGHTS = np.array((*WEIGHTS, *BY_HAND), np.float32)


@dataclass(frozen=True, slots=True)
class Query:
    """A question, made ready for searching."""

    text: str
    vector: Vectors  # (dim,)
    terms: tuple[str, ...]
    idf: dict[str, float]
    total: float  # of idf, not 0
    size: float  # of the index: 0 for one passage, 1 for a thousand or more
    known: frozenset[str]  # those of the terms that occur in the articles
    wants: re.Pattern[str] | None  # what the answer's sentence must contain
    variants: Variants  # other ways to write what is asked for
    period: Period | Latest | None  # the time that the question speaks of, relative to its own date
    years: Years  # those that it names

    def share(self, among: AbstractSet[str]) -> float:
        """Return the idf-weighted share of the question's terms that are among these, 0..1."""
        # In the question's order: a set's own differs from run to run, and so would the last digit.
        return sum(idf for term, idf in self.idf.items() if term in among) / self.total


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be evidence, with its features (FEATURES,)."""

    article: Article
    sentence: Sentence
    passage: StoredPassage
    features: NDArray[np.float32]
    terms: Sequence[str]
    copies: tuple[Candidate, ...] = ()  # the same words in other articles
    lowered: float = 0.0  # taken from its score
    reading: Reading | None = None  # by the reader, where it has read the sentence

    @property
    def quote(self) -> str:
        return self.article.text[self.sentence.start : self.sentence.end]

    @property
    def score(self) -> float:
        """Return the weighted mean of the features and what reading adds, about 0..1."""
        read = READ * max(LEAST_READ, min(MOST_READ, self.reading.score)) if self.reading else 0.0
        return float(self.features @ _WEIGHTS) / sum(WEIGHTS) - self.lowered + read

    def feature(self, name: str) -> float:
        return float(self.features[FEATURES.index(name)])


def make_query(
    question: str,
    index: Index,
    encoder: Encoder,
    date: str | None = None,
    vector: Vectors | None = None,
) -> Query:
    """Encode a question, asked on an ISO date if that is known, and weigh its terms.

    ``vector``: its vector (dim,), where it has been encoded already.
    """
    query_terms = tuple(dict.fromkeys(content_terms(question) or terms(question)))
    known = {term for term in query_terms if index.lexical.frequency(term)}
    variants = variants_of(question, set(query_terms) - known)
    for name, others in variants.names:
        if any(all(map(index.lexical.frequency, other)) for other in others):
            known.update(name)
    idf = {term: index.lexical.idf(term) for term in query_terms}
    return Query(
        text=question,
        vector=encoder.encode_texts([question])[0] if vector is None else vector,
        terms=query_terms,
        idf=idf,
        total=max(1e-9, sum(idf.values())),
        size=min(1.0, math.log10(max(1, index.lexical.passages)) / 3),
        known=frozenset(known.intersection(query_terms)),
        wants=answer_type(question),
        variants=variants,
        period=period_of(question, date),
        years=years_in(question),
    )


def find_candidates(query: Query, index: Index, config: Config) -> list[Candidate]:
    """Return the sentences of the best passages by vectors and by BM25 together."""
    dense, lexical = find_passages(query, index, config.candidates)
    return candidates_of(query, index, dict.fromkeys([*dense, *lexical]))


def find_passages(query: Query, index: Index, k: int) -> tuple[list[int], list[int]]:
    """Return the keys of the best k passages by vectors, and of those by BM25."""
    dense, _ = index.vectors.search(query.vector, k)
    with_variants = [*query.terms, *query.variants.terms]
    misspelt = [term for term, _ in query.variants.unknown]
    lexical, _ = index.lexical.search(with_variants, k, similar=misspelt)
    return dense.tolist(), lexical.tolist()


def candidates_of(query: Query, index: Index, keys: Iterable[int]) -> list[Candidate]:
    """Return the sentences of these passages."""
    candidates = [
        candidate
        for stored in index.passages(keys)
        for candidate in _candidates(
            query, stored, index.article_at(stored.article), index.terms(stored)
        )
    ]
    if isinstance(query.period, Latest) and candidates:
        _prefer_newest(query.period, candidates)
    return candidates


def _prefer_newest(latest: Latest, candidates: Sequence[Candidate]) -> None:
    """Set the feature "period", relative to the newest article among those about the question."""
    enough = max(candidate.score for candidate in candidates) - ON_TOPIC
    newest = latest.newest(c.article.published for c in candidates if c.score >= enough)
    if newest is not None:
        for candidate in candidates:
            closeness = latest.closeness(candidate.article.published, newest)
            candidate.features[FEATURES.index("period")] = closeness


def _candidates(
    query: Query, stored: StoredPassage, article: Article, sentence_terms: Sequence[Sequence[str]]
) -> Iterable[Candidate]:
    sentences = stored.passage.sentences
    vectors = stored.sentence_vectors.astype(np.float32)  # (sentences, dim)
    cosines = (vectors @ query.vector).tolist()  # (sentences,)
    passage_cosine = float(stored.vector.astype(np.float32) @ query.vector)
    quotes = [article.text[s.start : s.end] for s in sentences]
    # Which terms of the question each sentence has, as they are or written in another way.
    shared = [
        query.idf.keys() & {*own_terms, *query.variants.added(own_terms, quote)}
        for own_terms, quote in zip(sentence_terms, quotes, strict=True)
    ]
    period = query.period if isinstance(query.period, Period) else None
    closeness = period.closeness(article.published) if period else 0.0
    title = set(_title_terms(article.title))
    dated = [bool(query.years) and overlap(query.years, years_in(quote)) for quote in quotes]
    for n, quote in enumerate(quotes):
        near = slice(max(0, n - 1), n + 2)
        features = (
            cosines[n],
            passage_cosine,
            query.share(shared[n]),
            query.share(title.union(*shared[near])),
            bool(query.wants and query.wants.search(quote)),
            closeness,
            quote.rstrip("\"'”’»)] ").endswith("?"),
            _lead(article, sentences[n]),
            1.0 if dated[n] else BESIDE * any(dated[near]),
        )
        yield Candidate(
            article, sentences[n], stored, np.array(features, np.float32), sentence_terms[n]
        )


def _lead(article: Article, sentence: Sentence) -> float:
    return math.exp(-(sentence.start - article.body_start) / LEAD) if article.published else 0.0


@lru_cache(maxsize=4_096)
def _title_terms(title: str) -> tuple[str, ...]:
    return tuple(terms(title))


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates, best first, each wording once, with its copies in other articles."""
    ordered = in_order(candidates)
    groups: dict[str, list[Candidate]] = {}
    for candidate in ordered:
        groups.setdefault(wording(candidate.quote), []).append(candidate)
    return [
        replace(best, copies=_elsewhere(best, rest)) if rest else best
        for best, *rest in groups.values()
    ]


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates, best first. Of the same score, the newest comes first."""
    return sorted(
        candidates,
        key=lambda c: (
            -round(c.score, 4),
            -ordinal(c.article.published),
            c.article.path,
            c.sentence.start,
        ),
    )


def _elsewhere(best: Candidate, rest: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return one of the copies of each other article."""
    by_path: dict[str, Candidate] = {}
    for copy in rest:
        if copy.article.path != best.article.path:
            by_path.setdefault(copy.article.path, copy)
    return tuple(by_path.values())


def unknown_names(query: Query, best: Sequence[Candidate]) -> tuple[str, ...]:
    """Return the names in a question, as written there, that no article holds in this or a near
    spelling. The first word does not count: it is capitalised anyway.
    """
    missing = {
        word
        for run in names(query.text)
        for word in run
        if (term := stem(word)) in query.idf and term not in query.known
    }
    if not missing:
        return ()
    near = {word for c in best[:10] for word in words(f"{c.article.title} {c.quote}")}
    missing = {w for w in missing if not any(near_spelling(w, other) for other in near)}
    written = re.findall(r"(?<!\A)\b[^\W\d_][\w’'-]*", query.text)
    return tuple(dict.fromkeys(name for name in written if missing.intersection(words(name))))


def evidence_of(candidate: Candidate) -> Evidence:
    """Return the candidate as evidence."""
    article, sentence = candidate.article, candidate.sentence
    return Evidence(
        article.path,
        article.title,
        article.published,
        sentence.start,
        sentence.end,
        candidate.quote,
        round(candidate.score, 4),
        tuple(map(_copy, candidate.copies)),
        article.page_at(sentence.start),
        article.url,
        _answer_of(candidate),
    )


def _answer_of(candidate: Candidate) -> AnswerSpan | None:
    reading = candidate.reading
    return AnswerSpan(reading.start, reading.end) if reading and reading.score > 0 else None


def _copy(candidate: Candidate) -> Copy:
    article, sentence = candidate.article, candidate.sentence
    return Copy(article.path, article.title, article.published, sentence.start, sentence.end)


def passages_of(candidates: Iterable[Candidate]) -> list[Hit]:
    """Return the passages of ranked candidates, each with the score of its best sentence."""
    best: dict[int, Hit] = {}
    for candidate in candidates:
        key, passage = candidate.passage.key, candidate.passage.passage
        if key not in best:
            score = round(candidate.score, 4)
            best[key] = Hit(key, candidate.article.path, passage.start, passage.end, score)
    return list(best.values())

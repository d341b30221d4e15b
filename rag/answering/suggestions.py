"""Questions to begin with, made from what the articles say themselves.

A question is offered only where search finds, as its best sentence, one that has what was asked
for, in the article that the question was made from. No language model is used.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from textwrap import shorten
from typing import Protocol

from rag.errors import RagError
from rag.text.dates import DAYS, MONTHS, day_of
from rag.text.injection import addresses_model
from rag.text.untrusted import visible
from rag.types import Article, ArticleSummary, SearchResult, Sentence

MOST_EXAMPLES = 3
MOST_ARTICLES = 12  # articles, the newest first
MOST_SEARCHES = 12
MOST_TRIALS = 3  # questions of one article
MOST_SENTENCES = 40  # sentences of one article
LEAST_CONFIDENCE = 0.5  # confidence from which a question is answered
TITLE_CHARACTERS = 90  # most characters of a title in a question

_NAME = (
    r"(?P<name>[A-Z][a-zà-ÿ]+(?:-[A-Z][a-zà-ÿ]+)?(?: [A-Z]\.)?(?: [A-Z][A-Za-zà-ÿ'’-]{2,}){1,2})"
)
_ROLE = (
    r"president|minister|secretary|secretary general|mayor|senator|governor|chancellor|judge|chief"
    r"|director|spokeswoman|spokesman|spokesperson|chairman|chairwoman|ceo|founder|coach|captain"
    r"|commissioner|ambassador|professor|sheriff|attorney|economist|scientist|author|owner"
)
_VERBS = dict(
    forms.split(" ", 1)
    for forms in (
        "confirmed confirm; announced announce; warned warn of; predicted predict; "
        "promised promise; proposed propose; demanded demand; denied deny; said say; told say; "
        "explained explain; wrote write"
    ).split("; ")
)
# "Harbour Minister Lena Okafor"; "Ivo Brandt, chief engineer at the yard".
_BEFORE = re.compile(rf"\b(?i:{_ROLE})(?i: general)?,? {_NAME}\b")
_AFTER = re.compile(rf"(?:^|(?<=[\s“\"])){_NAME}, (?:[\w-]+ ){{0,4}}?(?i:{_ROLE})\b")
_SAYS = _NAME.replace("(?P<name>", "(?P<name>[A-Z]{3,6}|")  # UNESCO, too
_SAID = re.compile(rf"(?:^|(?<=[\s“\"])){_SAYS} (?P<verb>{'|'.join(_VERBS)})\b")
_CAPITALISED = re.compile(r"(?<=[a-z,] )[A-Z][\w’'-]+(?: [A-Z][\w’'-]+){0,3}")

# Words that open a name in the text and are none of it, and adjectives that look like names.
_DAYS = "|".join([*DAYS, *MONTHS])
_NO_NAME = re.compile(rf"(?i:the|a|an|last|next|this|that|on|in|but|and|general|{_ROLE}|{_DAYS})\b")
_ADJECTIVE = re.compile(r"(?:ean|ian|can|ese|ish|ench)s?\Z")

_log = logging.getLogger(__name__)
Suggestion = tuple[str, str, str]  # kind, question, the name that its answer has
Read = Callable[[str], tuple[Article, Iterable[Sentence]]]
Search = Callable[[str], SearchResult]


def examples(articles: Sequence[ArticleSummary], read: Read, search: Search) -> list[str]:
    """Return up to MOST_EXAMPLES questions that the articles answer, of different articles and
    kinds as far as there are some. Where none is found, questions for what a title says.
    """
    newest = sorted(articles, key=lambda a: str(day_of(a.published) or ""), reverse=True)
    kinds: set[str] = set()
    questions: list[str] = []
    refused: set[str] = set()
    for round_ in range(MOST_EXAMPLES):  # later ones take what is like what there is
        for summary in newest[:MOST_ARTICLES]:
            for kind, question, name in islice(candidates(*read(summary.path)), MOST_TRIALS):
                if len(questions) == MOST_EXAMPLES:
                    return questions
                if question in refused or question in questions or (kind in kinds and not round_):
                    continue
                if len(refused) + len(questions) == MOST_SEARCHES:
                    return (questions + of_titles(newest))[:MOST_EXAMPLES]
                if _is_answered(question, name, summary.path, search):
                    questions.append(question)
                    kinds.add(kind)
                    break
                refused.add(question)
    return (questions + of_titles(newest))[:MOST_EXAMPLES]


def of_titles(articles: Sequence[ArticleSummary]) -> list[str]:
    """Return questions for what the first articles say, made from nothing but their titles."""
    titles = [
        shorten(visible(a.title), TITLE_CHARACTERS, placeholder="…")
        for a in articles[:MOST_EXAMPLES]
    ]
    return [f"What does “{title}” say?" for title in titles]


def candidates(article: Article, sentences: Iterable[Sentence]) -> Iterator[Suggestion]:
    """Yield questions that a sentence of the article should answer."""
    seen: set[str] = set()
    texts = [article.text[s.start : s.end] for s in islice(sentences, MOST_SENTENCES)]
    texts = [" ".join(text.split()) for text in texts if len(text) < 400]
    for text in texts:
        if addresses_model(text) or not text.isprintable():
            continue
        for suggestion in _suggestions_of(text):
            if suggestion[1] not in seen:
                seen.add(suggestion[1])
                yield suggestion
    mentions = [name for text in texts for name in _CAPITALISED.findall(text)]
    for name in sorted(set(mentions), key=lambda name: (-mentions.count(name), name)):
        within = any(name != other and name in other for other in mentions)
        recurrent = mentions.count(name) > 1 and name in article.title and len(name) > 3
        if recurrent and not within and not _ADJECTIVE.search(name) and not _NO_NAME.match(name):
            yield "about", f"What is said about {name}?", name


def _suggestions_of(text: str) -> Iterator[Suggestion]:
    for pattern in (_BEFORE, _AFTER):
        if (match := pattern.search(text)) and not _NO_NAME.match(match["name"]):
            yield "who", f"Who is {match['name']}?", match["name"]
    if (match := _SAID.search(text)) and not _NO_NAME.match(match["name"]):
        yield "said", f"What did {match['name']} {_VERBS[match['verb']]}?", match["name"]


def _is_answered(question: str, name: str, path: str, search: Search) -> bool:
    result = search(question)
    best = result.evidence[:1]
    return result.confidence >= LEAST_CONFIDENCE and any(
        e.article == path and name in e.quote for e in best
    )


class Articles(Protocol):
    """What is read of an engine."""

    def contents(self) -> tuple[ArticleSummary, ...]: ...
    def article(self, path: str) -> Article: ...
    def sentences_from(self, path: str, position: int = 0) -> Iterator[Sentence]: ...
    def search(self, question: str, k: int = 10) -> SearchResult: ...


class Examples:
    """The questions of one engine's articles, made in the background, once for each state."""

    def __init__(self, rag: Articles) -> None:
        self._rag = rag
        self._contents: tuple[ArticleSummary, ...] | None = None
        self._questions: Future[list[str]] = Future()
        self._lock = threading.Lock()

    def of(self, contents: tuple[ArticleSummary, ...], patience: float = 0.0) -> list[str]:
        """Return questions about these articles, which are those of the engine; of their titles
        while better ones are being made, and that takes longer than ``patience`` (seconds).
        """
        with self._lock:
            if contents != self._contents:
                future = Future[list[str]]()
                threading.Thread(
                    target=self._make, args=[contents, future], name="examples", daemon=True
                ).start()
                self._contents, self._questions = contents, future
            future = self._questions
        with contextlib.suppress(TimeoutError):
            return future.result(patience)
        return of_titles(contents)

    def prepare(self) -> None:
        """Begin to make them, so that the first visitor finds them."""
        with contextlib.suppress(RagError):
            contents = self._rag.contents()
            threading.Thread(target=self.of, args=[contents], daemon=True).start()

    def _make(self, contents: tuple[ArticleSummary, ...], future: Future[list[str]]) -> None:
        try:
            future.set_result(examples(contents, self._read, self._search))
        except RagError:  # removed meanwhile, or damaged: a question will say so
            future.set_result(of_titles(contents))
        except Exception:  # noqa: BLE001 - a page shows others instead
            _log.exception("No questions could be made from the articles")
            future.set_result(of_titles(contents))

    def _read(self, path: str) -> tuple[Article, Iterable[Sentence]]:
        return self._rag.article(path), self._rag.sentences_from(path)

    def _search(self, question: str) -> SearchResult:
        return self._rag.search(question, 1)

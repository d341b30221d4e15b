"""A scripted engine for the chat: real values, no models. What it answers depends on the question.

"moon" declines, "broken" raises, "fault" fails as no engine should, "slow" waits after its first
claim until it is cancelled ("slowest" then ends without an answer), any other question gets three
claims. Before the first claim it waits for its model, as the real one does, and cannot be stopped.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag.errors import ArticleError, ModelError
from rag.types import (
    Answer,
    Article,
    ArticleSummary,
    Citation,
    Claim,
    ClaimVerified,
    Event,
    Evidence,
    EvidenceFound,
    Hit,
    Scope,
    SearchResult,
    Sentence,
    Turn,
)

HOSTILE = (
    "<script>window.__pwned='script'</script>"
    "<img src=x onerror=\"window.__pwned='img'\">"
    "</mark>${window.__pwned='template'}{{constructor}}\"'><svg onload=window.__pwned='svg'>"
)
BODY = (
    "The ferry to Hvar leaves Split every morning at seven.\n"
    "Tickets cost nine euros in summer and six in winter. Children travel free.\n"
    'The captain, Ana Marić, said: "We have never missed a morning."\n'
)
FILLER = "".join(f"Paragraph {n} tells of other islands and other ships.\n" for n in range(40))


def article(
    path: str, title: str, body: str, published: str | None = None, source: str | None = None
) -> Article:
    text = f"{title}\n{body}"
    return Article(path, title, text, len(title) + 1, published, source)


ARTICLES = (
    article(
        "ferry.txt", "The morning ferry to Hvar", FILLER + BODY + FILLER, "2024-06-03", "Coast"
    ),
    article("islands/vis.txt", "Vis opens its tunnels", "Vis has dug tunnels. They are open.\n"),
    article("hostile.txt", HOSTILE, f"First. {HOSTILE} Second {HOSTILE} end.\n", None, HOSTILE),
)


@dataclass
class FakeRag:
    articles: Sequence[Article] = ARTICLES
    pause: float = 0.0  # seconds before each event
    unread: tuple[tuple[str, str], ...] = ()  # files, each with the reason
    loaded: threading.Event = field(default_factory=threading.Event)  # the language model
    warm_up_error: Exception | None = None
    calls: list[tuple[str, list[Turn]]] = field(default_factory=list)
    scopes: list[Scope | None] = field(default_factory=list)
    running: int = 0  # streams that have not ended
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def until(self, running: int) -> None:
        """Return when so many streams are running."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.running == running, 30)

    def __post_init__(self) -> None:
        self.loaded.set()

    def warm_up(self) -> None:
        self.loaded.wait(30)
        if self.warm_up_error is not None:
            raise self.warm_up_error

    def refresh(self) -> bool:
        return False

    def behind(self) -> str:
        return ""

    def skipped(self) -> tuple[tuple[str, str], ...]:
        return self.unread

    def contents(self) -> tuple[ArticleSummary, ...]:
        return tuple(
            ArticleSummary(
                a.path, a.title, a.published, a.source, len(self.sentences(a.path)), len(a.text)
            )
            for a in self.articles
        )

    def article(self, path: str) -> Article:
        found = next((a for a in self.articles if a.path == path), None)
        if found is None:
            raise ArticleError(f"{path} is not among the articles.")
        return found

    def sentences(self, path: str) -> tuple[Sentence, ...]:
        text = self.article(path)
        ends = re.finditer(
            r"[^\s].*?(?:[.!?](?=\s|\Z)|\Z)", text.text[text.body_start :], re.MULTILINE
        )
        return tuple(Sentence(m.start() + text.body_start, m.end() + text.body_start) for m in ends)

    def sentences_from(self, path: str, position: int = 0) -> Iterator[Sentence]:
        return (s for s in self.sentences(path) if s.start >= position)

    def sentences_before(self, path: str, position: int) -> Iterator[Sentence]:
        return (s for s in reversed(self.sentences(path)) if s.end <= position)

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
    ) -> SearchResult:
        found = tuple(self._evidence("ferry.txt"))[:k]
        return SearchResult(question, 0.9, (Hit(1, "ferry.txt", 0, 9, 0.5),), found)

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
        cancel: threading.Event | None = None,
        scope: Scope | None = None,
    ) -> Iterator[Event]:
        cancel = cancel or threading.Event()
        with self._changed:
            self.calls.append((question, list(history or ())))
            self.scopes.append(scope)
            self.running += 1
            self._changed.notify_all()
        try:
            for event in self._events(question, cancel):
                time.sleep(self.pause)
                yield event
        finally:
            with self._changed:
                self.running -= 1
                self._changed.notify_all()

    def _events(self, question: str, cancel: threading.Event) -> Iterator[Event]:
        if "broken" in question:
            raise ModelError("The model file qwen.gguf is damaged. Run: python -m rag models fetch")
        hostile = "hostile" in question
        path = "hostile.txt" if hostile else "ferry.txt"
        evidence = tuple(self._evidence(path))
        if len(self.articles) > 1 and not hostile:
            evidence += tuple(self._evidence("islands/vis.txt"))
        if not hostile:
            evidence = tuple(e for e in evidence if not e.quote.startswith("Paragraph"))
        yield EvidenceFound(evidence, 0.9)
        if "moon" in question:
            yield Answer(question, (), (), evidence, True, "Nothing is said about the moon.", 0.12)
            return
        self.loaded.wait(30)
        places = [e for e in evidence if e.article == path]
        citations = tuple(
            Citation(n, e.article, e.title, e.published, e.start, e.end, e.quote, 0.9)
            for n, e in enumerate(places[:3], start=1)
        )
        said = HOSTILE if hostile else "The ferry leaves Split at seven."
        claims = [
            Claim(said, (1,), "supported", 0.93),
            Claim("It costs nine euros in summer, and it runs daily.", (2, 1), "supported", 0.8),
            Claim(citations[-1].quote, (citations[-1].number,), "quoted", 1.0),
        ]
        introduced = [citations[:1], citations[1:2], citations[2:]]
        yield ClaimVerified(claims[0], introduced[0])
        timings = {"first_evidence": 96.0, "total": 9_400.0}
        if "fault" in question:
            raise RuntimeError("not one of ours")
        if "slow" in question:
            cancel.wait(30)
        if cancel.is_set() and "slowest" in question:
            return
        if cancel.is_set():
            yield Answer(
                question, (claims[0],), citations[:1], evidence, False, None, 0.9, (), timings
            )
            return
        for claim, new in zip(claims[1:], introduced[1:], strict=True):
            yield ClaimVerified(claim, new)
        notes = ("The articles give two prices.",) if "price" in question else ()
        yield Answer(
            question, tuple(claims), citations, evidence, False, None, 0.87, notes, timings
        )

    def _evidence(self, path: str) -> Iterator[Evidence]:
        found = self.article(path)
        for score, sentence in enumerate(self.sentences(path)):
            quote = found.text[sentence.start : sentence.end]
            yield Evidence(
                path,
                found.title,
                found.published,
                sentence.start,
                sentence.end,
                quote,
                1.0 / (1 + score),
            )

"""Questions about the collection rather than about what its articles say: greetings, "What is in
here?", "When was this published?", "Summarise this".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from rag.index.index import Index
from rag.text.injection import addresses_model
from rag.text.untrusted import without_markers
from rag.types import Article, ArticleSummary, Evidence, Sentence

Intent = Literal["greeting", "contents", "published", "author", "summary"]

_KIND = r"(?:articles?|texts?|stor(?:y|ies)|news|piece|documents?|files?|collection)"
_THIS = rf"(?:(?:this|it|that|these|those)(?: {_KIND})?|(?:the|your|my) {_KIND})"
_THIS += r"(?: (?:about|on) .+)?"
_POLITE = r"(?:(?:please|can you|could you|would you|hi|hello|hey|so|ok|okay)[, ]+)*"
_SHORT = r"(?:short |brief )?"
INTENTS: dict[Intent, tuple[str, ...]] = {
    "greeting": (
        r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings)(?: there| footnote)?",
        r"(?:thanks|thank you|cheers|bye|goodbye)(?: a lot| very much| so much)?",
        r"who are you|what are you|help",
    ),
    "contents": (
        r"what(?: is|'s| do you have) in (?:here|there|the (?:index|collection|folder|archive))",
        r"(?:what|which) (?:articles|documents|files|texts|news)"
        r"(?: do you (?:have|know)| are (?:there|indexed|in here))?",
        r"(?:list|show)(?: me)?(?: all)? (?:the |your )?(?:articles|documents|titles|contents)",
        r"what can i ask(?: you)?(?: about)?|what do you know(?: about)?",
        r"how many articles(?: (?:are there|do you have|are indexed|are in here))?",
    ),
    "published": (
        rf"when (?:was|were) {_THIS} (?:published|written|posted|released)",
        rf"(?:what|which) (?:is|was) the (?:publication )?date of {_THIS}",
        rf"how old (?:is|are) {_THIS}|what is the publication date",
    ),
    "author": (
        rf"who (?:wrote|published|authored|is the author of) {_THIS}|who is the author",
        rf"(?:what|which) is the source of {_THIS}|where (?:was|is) {_THIS} (?:from|published)",
    ),
    "summary": (
        rf"(?:summari[sz]e|sum up|recap)(?: {_THIS})?(?: for me)?",
        rf"(?:(?:give me|write|make) )?(?:a |the )?{_SHORT}summary(?: of {_THIS})?",
        rf"what (?:is|are) {_THIS} (?:all )?about|tl;?dr",
    ),
}
_PATTERNS = [
    (intent, re.compile(f"{_POLITE}(?:{'|'.join(forms)})", re.IGNORECASE))
    for intent, forms in INTENTS.items()
]

GREETING = (
    "Hello. Ask me anything about the articles: I answer only from what they say, and cite the "
    "sentence for every claim."
)
MOST_LISTED = 20  # titles
SUMMARY_SENTENCES = 3  # sentences of one article's summary
OPENING_SENTENCES = 60  # sentences of an article among which those of its summary are looked for
SUMMARY_ARTICLES = 5  # articles in a summary of all, one sentence each


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say: a note, or sentences to quote."""

    note: str = ""
    quotes: tuple[Evidence, ...] = ()
    known: bool = True  # False: the articles do not say


def intent_of(question: str) -> Intent | None:
    """Return what kind of question about the collection this is, or None for any other."""
    plain = re.sub(r"\s+", " ", question.replace("’", "'")).strip(" ?!.")
    return next((intent for intent, p in _PATTERNS if p.fullmatch(plain)), None)


def reply(
    intent: Intent, question: str, index: Index, best: Callable[[str], Evidence | None]
) -> Reply:
    """Return what to say to such a question. ``best`` finds the best evidence for a text."""
    contents = index.contents()
    if intent == "greeting":
        return Reply(GREETING)
    if intent == "contents":
        return Reply(_listed(contents))
    path = _article_meant(question, contents, best)
    if intent == "summary":
        paths = [path] if path else [article.path for article in contents[:SUMMARY_ARTICLES]]
        return Reply(
            quotes=tuple(
                e for p in paths for e in _summary(index, p, SUMMARY_SENTENCES if path else 1)
            )
        )
    if not path:
        return Reply(f"Which article do you mean? {_listed(contents)}")
    return _origin(index.article(path), intent)


def _article_meant(
    question: str, contents: Sequence[ArticleSummary], best: Callable[[str], Evidence | None]
) -> str | None:
    if len(contents) == 1:
        return contents[0].path
    about = re.search(r"\b(?:about|on) (?!this\b|it\b|that\b)(\w.+)", question)
    evidence = best(about[1]) if about else None
    return evidence.article if evidence else None


def _listed(contents: Sequence[ArticleSummary]) -> str:
    count = f"{len(contents)} article{'s' if len(contents) != 1 else ''}"
    lines = [f"I can answer from {count}:"]
    for article in contents[:MOST_LISTED]:
        details = [detail for detail in (article.source, article.published) if detail]
        line = f"- {article.title}" + (f" ({', '.join(details)})" if details else "")
        lines.append(without_markers(line))
    if len(contents) > MOST_LISTED:
        lines.append(f"- … and {len(contents) - MOST_LISTED} more")
    return "\n".join(lines)


def _origin(article: Article, intent: Intent) -> Reply:
    title = f"“{without_markers(article.title)}”"
    if intent == "published":
        if article.published:
            return Reply(f"{title} was published on {without_markers(article.published)}.")
        return Reply(f"{title} does not give its date of publication.", known=False)
    by = ", ".join(part for part in (article.author, article.source) if part)
    if by:
        return Reply(f"{title} is by {without_markers(by)}.")
    return Reply(f"{title} does not name its author or source.", known=False)


def _summary(index: Index, path: str, count: int) -> list[Evidence]:
    article = index.article(path)
    opening = islice(index.sentences_from(path), OPENING_SENTENCES)
    sentences = [s for s in opening if not addresses_model(article.text[s.start : s.end])]
    prose = [s for s in sentences if not looks_like_heading(article.text[s.start : s.end])]
    return [as_evidence(article, sentence) for sentence in (prose or sentences)[:count]]


def looks_like_heading(quote: str) -> bool:
    """Return whether the text is a heading, a byline or a list mark rather than a sentence."""
    return len(quote) < 80 and not re.search(r"[.!?…][\"'”’»)\]]*\Z", quote)


def as_evidence(article: Article, sentence: Sentence, score: float = 1.0) -> Evidence:
    """Return a sentence of an article as evidence."""
    return Evidence(
        article.path,
        article.title,
        article.published,
        sentence.start,
        sentence.end,
        article.text[sentence.start : sentence.end],
        score,
        page=article.page_at(sentence.start),
        url=article.url,
    )


def sentences_before(index: Index, evidence: Evidence) -> Iterator[Evidence]:
    """Yield the sentences before one in its article, the nearest first."""
    article = index.article(evidence.article)
    for sentence in index.sentences_before(evidence.article, evidence.start):
        yield as_evidence(article, sentence)

"""Questions about the collection rather than about what its articles say: greetings, "What is in
here?", "When was this published?", "Summarise this".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from rag.types import Article, ArticleSummary

Intent = Literal["greeting", "thanks", "contents", "published", "author", "summary"]

_THIS = r"(?:this|it|that|these|those|the|your|my)(?: (?:articles?|texts?|stor(?:y|ies)|news|piece|documents?|files?|collection))?"
_ABOUT = r"(?: (?:about|on|of) .+)?"
_POLITE = r"(?:(?:please|can you|could you|would you|hi|hello|hey|so|ok|okay)[, ]+)*"
INTENTS: tuple[tuple[Intent, str], ...] = (
    ("greeting", r"(?:hi|hello|hey|hallo|good (?:morning|afternoon|evening|day)|greetings)"
                 r"(?: there| footnote)?|who are you|what are you|help"),
    ("thanks", r"(?:thanks|thank you|thx|cheers|great|ok|okay|bye|goodbye)(?: you| a lot| very much| so much)?"),
    ("contents", r"what(?: is|'s| do you have| are)? in (?:here|there|the (?:index|collection|folder|archive))"
                 r"|what (?:articles|documents|files|texts|news)(?: do you have| are (?:there|indexed|in here))?"
                 r"|(?:which|what) articles (?:are (?:there|indexed|in here)|do you (?:have|know))"
                 r"|(?:list|show)(?: me)?(?: all)? (?:the |your )?(?:articles|documents|titles|contents)"
                 r"|what (?:can i ask(?: you)?(?: about)?|do you know(?: about)?)|how many articles(?: .+)?"),
    ("published", rf"when (?:was|were) {_THIS}{_ABOUT} (?:published|written|posted|released)"
                  rf"|(?:what|which) (?:is|was) the (?:publication )?date of {_THIS}{_ABOUT}"
                  rf"|how old (?:is|are) {_THIS}{_ABOUT}|what is the publication date"),
    ("author", rf"who (?:wrote|published|is the author of|authored) {_THIS}{_ABOUT}"
               rf"|(?:what|which) is the source of {_THIS}{_ABOUT}"
               rf"|where (?:was|is) {_THIS}{_ABOUT} (?:from|published)|who is the author"),
    ("summary", rf"(?:summari[sz]e|sum up|recap)(?: {_THIS}{_ABOUT})?(?: for me)?"
                rf"|(?:give me |write |make )?(?:a |the )?(?:short |brief )?summary(?: of {_THIS}{_ABOUT})?"
                rf"|what (?:is|are) {_THIS} (?:all )?about|tl;?dr|what happened"),
)  # fmt: skip
_PATTERNS = [(intent, re.compile(_POLITE + f"(?:{p})", re.IGNORECASE)) for intent, p in INTENTS]

GREETING = (
    "Hello. Ask me anything about the articles: I answer only from what they say, and cite the "
    "sentence for every claim."
)
MOST_LISTED = 20


def intent_of(question: str) -> Intent | None:
    """Return what kind of question about the collection this is, or None for a real one."""
    plain = re.sub(r"\s+", " ", question.replace("’", "'")).strip(" ?!.")
    return next((intent for intent, p in _PATTERNS if p.fullmatch(plain)), None)


def describe_contents(contents: Sequence[ArticleSummary]) -> str:
    """Return a sentence and a list of the articles."""
    count = f"{len(contents)} article{'s' if len(contents) != 1 else ''}"
    lines = [f"I can answer from {count}:"]
    for article in contents[:MOST_LISTED]:
        details = [d for d in (article.source, article.published) if d]
        lines.append(f"- {article.title}" + (f" ({', '.join(details)})" if details else ""))
    if len(contents) > MOST_LISTED:
        lines.append(f"- … and {len(contents) - MOST_LISTED} more")
    return "\n".join(lines)


def describe_origin(article: Article, intent: Intent) -> tuple[str, bool]:
    """Return a sentence on when, or by whom, an article was published, and whether it is known."""
    title = f"“{article.title}”"
    if intent == "published":
        if article.published:
            return f"{title} was published on {article.published}.", True
        return f"{title} does not give its date of publication.", False
    by = " for ".join(part for part in (article.author, article.source) if part)
    if by:
        return f"{title} is by {by}.", True
    return f"{title} does not name its author or source.", False

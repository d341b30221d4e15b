"""The conversation as HTML: what the templates of an answer and of the welcome are given.

The page draws its own conversation instead of using ``gr.Chatbot``: a chatbot message is Markdown
(so a question could load a remote image) or raw HTML (so an article could run a script), and it
has no place for a list of evidence, an aria-live region or keyboard-reachable citation marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby

from rag import texts
from rag.history.conversation import Exchange
from rag.history.feedback import NOTE
from rag.types import ArticleSummary, Citation, Evidence
from rag.web.templating import render

SHOWN = 5  # evidence sentences listed before the rest is folded away
COPIES = 3  # other articles with the same sentence that are listed
# Confidence in words. Over seven sets of questions the estimate was off by .07 to .15 on average
# (the expected calibration errors with the default weights in benchmarks/results/confidence.md).
# "Well" therefore begins where, that much lower, an answer is still clearly likelier than none (.80
# - .15 = .65), and "weakly" ends where, that much higher, it is no more than that (.50 + .15).
WELL, WEAKLY = 0.80, 0.50


def hint_html(text: str) -> str:
    """Return a line for under the question; "" for no text."""
    return render("hint.html", text=text)


def welcome(
    articles: Sequence[ArticleSummary], questions: Sequence[str] = (), error: str = ""
) -> str:
    """Return what an empty conversation shows: how to begin, with questions that may be asked."""
    return render("welcome.html", articles=articles, questions=questions, error=error)


def suggestions(questions: Iterable[str]) -> str:
    """Return questions that may be asked, as a list of buttons."""
    return render("suggestions.html", questions=questions)


def conversation(exchanges: Iterable[Exchange], *, ratable: bool = False) -> str:
    """Return the HTML of several exchanges; ``ratable``: with buttons that rate their answers."""
    return "".join(exchange_html(exchange, ratable=ratable) for exchange in exchanges)


@lru_cache(maxsize=256)  # by identity; of a conversation, only the last exchange changes
def exchange_html(exchange: Exchange, *, ratable: bool = False) -> str:
    """Return one question with its answer, as far as it is known, and its sources."""
    answer = exchange.answer
    reason = answer.reason if answer is not None and exchange.declined else None
    searched = answer is not None and bool(answer.evidence) and not exchange.working
    rated = searched and exchange.state == "answered" and bool(answer and answer.claims)
    times = answer.timings_ms if answer is not None and searched else {}
    numbers = {(c.article, c.start, c.end): c.number for c in exchange.citations}
    cited_first = bool(numbers) and not exchange.working and not exchange.declined
    first: Sequence[Citation | Evidence] = exchange.evidence[:SHOWN]
    rest = exchange.evidence[SHOWN:]
    if cited_first:
        first = exchange.citations
        rest = tuple(e for e in exchange.evidence if (e.article, e.start, e.end) not in numbers)
    return render(
        "answer.html",
        exchange=exchange,
        answer=answer,
        ratable=ratable,
        longest_note=NOTE,
        cited={citation.number: citation for citation in exchange.citations},
        numbers=numbers,
        paragraphs=[
            (verdict, [*claims])
            for verdict, claims in groupby(exchange.claims, key=lambda claim: claim.verdict)
        ],
        # The reason of a refusal stands in its box already.
        notes=[n for n in (answer.notes if answer else ()) if not (reason and n.endswith(reason))],
        support=support_in_words(answer.confidence) if answer is not None and rated else "",
        found_in=_seconds(times.get("first_evidence", times.get("retrieve"))),
        answered_in=_seconds(times.get("total")),
        first=first,
        rest=rest,
        cited_first=cited_first,
        copies=COPIES,
    )


def rating(exchange: Exchange) -> str:
    """Return the buttons that rate an answer; "" where there is none that is finished."""
    return render("rating.html", exchange=exchange, longest_note=NOTE)


def support_in_words(confidence: float) -> str:
    """Return how well the articles support an answer."""
    return "well" if confidence >= WELL else "weakly" if confidence < WEAKLY else "fairly"


def _seconds(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    seconds = milliseconds / 1000
    return texts.SECONDS.format(f"{seconds:.{1 if seconds < 10 else 0}f}")

"""The conversation as HTML. Pure functions; every value is escaped where it enters the markup.

The page draws its own conversation instead of using ``gr.Chatbot``: a chatbot message is Markdown
(so a question could load a remote image) or raw HTML (so an article could run a script), and it
has no place for a list of evidence, an aria-live region or keyboard-reachable citation marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from html import escape
from itertools import groupby

from rag import texts
from rag.history.conversation import Exchange, Place
from rag.text.untrusted import as_html
from rag.texts import day
from rag.types import ArticleSummary, Citation, Claim, Copy, Evidence
from rag.web.history_html import rating

SHOWN = 5  # evidence sentences listed before the rest is folded away
COPIES = 3  # other articles with the same sentence that are listed
LONG_WORD = 30  # characters; a longer word has to be free to wrap
WIDE = "\u2e80"  # from here on, scripts without spaces between their words

TO_DOCS = f'<a class="for-programs" href="docs">{texts.FOR_PROGRAMS}</a>'
HEADER = f"""<header class="masthead">
<h1 class="wordmark">{texts.NAME}<sup aria-hidden="true">1</sup></h1>
<p class="tagline">{texts.TAGLINE}</p>
{TO_DOCS}
<button type="button" class="plain narrow-only" data-show-pane>{texts.ARTICLES}</button>
</header>"""
HINT = f'<p role="status">{texts.TYPE_FIRST}</p>'
BUSY = f'<p role="status">{texts.STILL_WRITING}</p>'


def not_taken(reason: str) -> str:
    """Return what is said of a question that was not taken on; it stays in the box."""
    return f'<p role="status">{texts.NOT_TAKEN.format(as_html(reason))}</p>'


def dropped(reason: str, question: str) -> str:
    """Return what is said of a question that was taken on and then could not be."""
    return f'<p role="status">{texts.DROPPED.format(as_html(reason), as_html(question))}</p>'


def welcome(
    articles: Sequence[ArticleSummary], questions: Sequence[str] = (), error: str = ""
) -> str:
    """Return what an empty conversation shows: how to begin, with questions that may be asked."""
    if error:
        said = f"<h2>{texts.CANNOT_READ_ARTICLES}</h2><p>{as_html(error)}</p>"
        return f'<div class="welcome">{said}</div>'
    if not articles:
        return (
            f'<div class="welcome"><h2>{texts.NO_ARTICLES}</h2>'
            f"<p>{texts.PUT_AND_INDEX}</p>"
            f"<p><code>{texts.INDEX_COMMAND}</code></p>"
            f"<p>{texts.THEN_RELOAD}</p></div>"
        )
    return (
        f'<div class="welcome"><h2>{texts.ASK_YOUR_ARTICLES}</h2>'
        f"<p>{texts.HOW_IT_WORKS}</p>"
        f"{suggestions(questions)}"
        f'<p class="narrow-only">{TO_DOCS}</p></div>'
    )


def suggestions(questions: Iterable[str]) -> str:
    """Return questions that may be asked, as a list of buttons."""
    buttons = "".join(
        f'<li><button type="button" class="example" dir="auto" data-ask="{as_html(question)}">'
        f"{as_html(question)}</button></li>"
        for question in questions
    )
    return f"<ul>{buttons}</ul>"


def conversation(exchanges: Iterable[Exchange], *, ratable: bool = False) -> str:
    """Return the HTML of several exchanges; ``ratable``: with buttons that rate their answers."""
    return "".join(exchange_html(exchange, ratable=ratable) for exchange in exchanges)


def exchange_html(exchange: Exchange, *, ratable: bool = False) -> str:
    """Return one question with its answer, as far as it is known, and its sources."""
    rated = rating(exchange) if ratable else ""
    busy = "true" if exchange.working else "false"
    return (
        f'<article class="exchange {exchange.state}" id="exchange-{exchange.number}">'
        f'<h2 class="question" dir="auto">{as_html(exchange.question)}</h2>{_limited(exchange)}'
        f'<div class="answer" aria-live="polite" aria-busy="{busy}">{_answer(exchange)}</div>'
        f'<div class="facts">{_facts(exchange)}</div>{rated}'
        f'<div class="found">{_found(exchange)}</div></article>'
    )


def _limited(exchange: Exchange) -> str:
    if not exchange.limited:
        return ""
    articles = f'<b dir="auto">{as_html(exchange.limited)}</b>'
    return f'<p class="limited">{texts.ASKED_ONLY_OF.format(articles)}</p>'


def _answer(exchange: Exchange) -> str:
    cited = {citation.number: citation for citation in exchange.citations}
    parts: list[str] = []
    for verdict, claims in groupby(exchange.claims, key=lambda claim: claim.verdict):
        if verdict == "quoted":
            parts += [
                f'<blockquote class="quoted{" replaced" if claim.repair else ""}" dir="auto">'
                f'<span class="label">{_label(claim)}</span>'
                f"{_marked(exchange, claim, cited)}</blockquote>"
                for claim in claims
            ]
        else:
            said = " ".join(
                f'<span class="claim">{_marked(exchange, claim, cited)}</span>' for claim in claims
            )
            parts.append(f'<p class="claims" dir="auto">{said}</p>')
    answer = exchange.answer
    if exchange.declined and answer is not None:
        reason = f'<p dir="auto">{as_html(answer.reason)}</p>' if answer.reason else ""
        parts.append(f'<div class="declined"><h3>{texts.DO_NOT_SAY}</h3>{reason}</div>')
    if answer is not None:
        kind = "note" if parts else "said"  # beside an answer, or all there is of it
        told = answer.reason if exchange.declined else None  # in the box above already
        notes = [note for note in answer.notes if not (told and note.endswith(told))]
        parts += [f'<p class="{kind}" dir="auto">{as_html(note)}</p>' for note in notes]
    if exchange.state == "stopped":
        said = texts.STOPPED_WITH_CLAIMS if exchange.claims else texts.STOPPED
        parts.append(f'<p class="stopped">{said}</p>')
    if exchange.error is not None:
        parts.append(
            f'<p class="error" dir="auto"><strong>{texts.NO_ANSWER}</strong> '
            f"{as_html(exchange.error)}</p>"
        )
    return "".join(parts)


def _label(claim: Claim) -> str:
    return texts.QUOTED if claim.repair is None else texts.QUOTED_INSTEAD


def _marked(exchange: Exchange, claim: Claim, cited: dict[int, Citation]) -> str:
    """Return the claim with its marks; the first mark never starts a line."""
    marks = [
        _jump(
            exchange,
            cited[number],
            "cite",
            f"[{number}]",
            label=texts.SOURCE.format(number, cited[number].title),
            tooltip=cited[number].quote,
            more=f' data-number="{number}" aria-keyshortcuts="Alt+{number}"',
        )
        for number in claim.citations
        if number in cited
    ]
    head, space, last = claim.text.rpartition(" ")
    if len(last) > LONG_WORD or any(character >= WIDE for character in last):
        return as_html(claim.text) + "".join(marks)
    bound = f'<span class="bound">{as_html(last)}{"".join(marks[:1])}</span>'
    return f"{as_html(head)}{space}{bound}{''.join(marks[1:])}"


def _jump(
    exchange: Exchange,
    place: Citation | Evidence | Copy,
    kind: str,
    inner: str,
    *,
    label: str = "",
    tooltip: str = "",
    more: str = "",
) -> str:
    """Return a button that opens an article at a sentence; ``inner`` is HTML already."""
    named = f' aria-label="{as_html(label)}" data-tip="{as_html(tooltip)}"' if label else ""
    return (
        f'<button type="button" class="{kind}" data-exchange="{exchange.number}" '
        f'data-article="{escape(place.article)}" data-start="{place.start}" '
        f'data-end="{place.end}"{named}{more}>{inner}</button>'
    )


def _facts(exchange: Exchange) -> str:
    if exchange.working:
        doing = texts.WRITING if exchange.claims else texts.READING
        doing = texts.LOOKING if exchange.state == "searching" else doing
        doing = texts.before_yours(exchange.ahead) if exchange.ahead else doing
        return (
            f'<p class="status" role="status"><span class="pulse" aria-hidden="true"></span>'
            f'{doing}</p><span class="elapsed" aria-hidden="true"></span>'
        )
    answer = exchange.answer
    if answer is None or not answer.evidence:  # nothing was looked for
        return ""
    facts: list[str] = []
    if exchange.state == "answered" and answer.claims:
        words, meaning = texts.confidence(answer.confidence)
        facts.append(
            f'<button type="button" class="confidence {words.split()[0].lower()}" '
            f'data-tip="{as_html(meaning)}">{words}</button>'
        )
    times = answer.timings_ms
    found = times.get("first_evidence", times.get("retrieve"))
    if found is not None:
        facts.append(texts.FOUND_IN.format(_seconds(found)))
    if "total" in times:
        done = texts.STOPPED_AFTER if exchange.state == "stopped" else texts.ANSWERED_IN
        done = texts.DONE_IN if answer.declined else done
        facts.append(done.format(_seconds(times["total"])))
    return f"<p>{' · '.join(facts)}</p>" if facts else ""


def _found(exchange: Exchange) -> str:
    """Return the cited sources, or, where there are none (yet), the evidence."""
    cited = {(c.article, c.start, c.end): c.number for c in exchange.citations}
    first: Sequence[Citation | Evidence] = exchange.evidence[:SHOWN]
    rest: Sequence[Evidence] = exchange.evidence[SHOWN:]
    heading, folded = texts.FOUND, texts.MORE
    if exchange.declined:
        heading = texts.NEAREST
    elif cited and not exchange.working:
        heading, folded = texts.SOURCES, texts.ALSO_FOUND
        first = exchange.citations
        rest = [e for e in exchange.evidence if (e.article, e.start, e.end) not in cited]
    shown = f"<h3>{heading}</h3>{_listed(exchange, first, cited)}" if first else ""
    if not rest:
        return shown
    return (
        f'{shown}<details class="more" id="more-{exchange.number}"><summary>{folded} ({len(rest)})'
        f"</summary>{_listed(exchange, rest, cited)}</details>"
    )


def _listed(
    exchange: Exchange, places: Sequence[Citation | Evidence], cited: Mapping[Place, int]
) -> str:
    return f"<ul>{''.join(_sentence(exchange, place, cited) for place in places)}</ul>"


def _sentence(exchange: Exchange, found: Citation | Evidence, cited: Mapping[Place, int]) -> str:
    """Return a sentence with its number, if the answer cites it, its article and its neighbours."""
    place = (found.article, found.start, found.end)
    number = cited.get(place)
    jump = _jump(
        exchange,
        found,
        "evidence" if number is None else "source",
        f'<span class="sentence" dir="auto">{as_html(found.quote)}</span> '
        f'<span class="title" dir="auto">{as_html(found.title)}</span>{_dated(found)}',
    )
    before, after = exchange.contexts.get(place, ("", ""))
    context = ""
    if before or after:
        key = sha256(repr(place).encode()).hexdigest()[:12]  # stays when evidence is re-ordered
        context = (
            f'<details id="context-{exchange.number}-{key}"><summary>{texts.IN_CONTEXT}</summary>'
            f'<p class="context" dir="auto">{as_html(before)} '
            f"<strong>{as_html(found.quote)}</strong> {as_html(after)}</p></details>"
        )
    also = _also_in(exchange, found)
    if place in exchange.changed:
        also += f'<p class="also lost">{texts.CHANGED}</p>'
    mark = f'<span class="number">{number}</span>' if number else '<span class="dot"></span>'
    return f"<li>{mark}<div>{jump}{also}{context}</div></li>"


def _also_in(exchange: Exchange, found: Citation | Evidence) -> str:
    """Return buttons that open the other articles in which the same sentence stands."""
    if not found.also_in:
        return ""
    others = "; ".join(
        _jump(
            exchange, copy, "copy",
            f'<span class="title" dir="auto">{as_html(copy.title)}</span>{_dated(copy)}',
        )
        for copy in found.also_in[:COPIES]
    )  # fmt: skip
    more = len(found.also_in) - COPIES
    said = texts.ALSO_IN_MORE if more > 0 else texts.ALSO_IN
    return f'<p class="also">{said.format(others, more)}</p>'


def _dated(place: Citation | Evidence | Copy) -> str:
    facts = [day(place.published)] if place.published else []
    if not isinstance(place, Copy) and place.page:
        facts.append(texts.PAGE.format(place.page))
    return f' <span class="date">{" · ".join(facts)}</span>' if facts else ""


def _seconds(milliseconds: float) -> str:
    seconds = milliseconds / 1000
    return texts.SECONDS.format(f"{seconds:.{1 if seconds < 10 else 0}f}")

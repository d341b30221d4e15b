"""What the page shows of conversations that are kept, as HTML: their list, and an answer's rating.

Pure functions; every value is escaped where it enters the markup. The buttons' ``data-act`` is what
page_kept.js passes on and rag/web/history.py carries out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from html import escape

from rag import texts
from rag.history.conversation import Exchange
from rag.history.feedback import NOTE
from rag.history.rows import Header
from rag.history.storage import CONVERSATIONS, TITLE
from rag.text.untrusted import as_html

BUTTON = f'<button type="button" class="plain" data-act="list">{texts.HISTORY}</button>'


def hint_html(text: str) -> str:
    """Return a line for under the question."""
    return f'<p role="status">{as_html(text)}</p>' if text else ""


def remembered(identity: str) -> str:
    """Return what tells the page which conversation to come back to."""
    return f'<span hidden data-remember="{escape(identity)}"></span>'


def kept_list(
    headers: Sequence[Header], current: str = "", notice: str = "", user: str | None = None
) -> str:
    """Return the pane with the visitor's conversations; ``current`` is the one on the page.

    ``user``: the name that the visitor has logged in with, if that is how the visitor is known.
    """
    said = f'<p class="notice" role="status">{as_html(notice)}</p>' if notice else ""
    entries = "".join(_entry(header, header.id == current) for header in headers)
    none = texts.NONE_KEPT if user is None else f"{texts.NONE_KEPT} {texts.STAYS_WITH_BROWSER}"
    listed = f'<ul class="conversations">{entries}</ul>' if entries else f"<p>{none}</p>"
    where = texts.WHERE_KEPT.format(CONVERSATIONS)
    if user is not None:
        name = f'<b dir="auto">{as_html(user)}</b>'
        where = texts.WHERE_KEPT_FOR_USER.format(CONVERSATIONS, user=name)
    return (
        '<div class="pane" data-view="conversations">'
        f'<p class="unseen" role="status">{texts.OPENED_CONVERSATIONS}</p><div class="pane-bar">'
        f'<button type="button" class="plain" data-library>{texts.ALL_ARTICLES}</button>'
        f'<button type="button" class="plain narrow-only" data-close>{texts.CLOSE}</button></div>'
        f'<h2 tabindex="-1">{texts.YOUR_CONVERSATIONS}</h2>'
        f'<p class="count">{where}</p>{said}{listed}</div>'
    )


def _entry(header: Header, current: bool) -> str:
    title = as_html(header.title) or texts.UNTITLED
    count = texts.questions(header.questions)
    here = f' · <strong class="here">{texts.ON_THE_PAGE}</strong>' if current else ""
    ident = escape(header.id)
    exports = "".join(
        f'<a class="tool" href="conversations/{ident}.{suffix}" download '
        f'aria-label="{texts.EXPORT.format(name=name, title=title)}">{name}</a>'
        for suffix, name in (("md", "Markdown"), ("json", "JSON"))
    )
    return (
        f'<li data-conversation="{ident}">'
        f'<button type="button" class="entry" data-act="open">'
        f'<span class="title" dir="auto">{title}</span>'
        f'<span class="about">{count} · {_when(header.changed)}{here}</span></button>'
        f'<div class="tools"><button type="button" class="tool" data-unfold="rename" '
        f'aria-label="{texts.RENAME_THIS.format(title)}">{texts.RENAME}</button>{exports}'
        f'<button type="button" class="tool" data-unfold="delete" '
        f'aria-label="{texts.DELETE_THIS.format(title)}">{texts.DELETE}</button></div>'
        f'<form class="unfolded" data-part="rename" hidden><input name="title" dir="auto" '
        f'maxlength="{TITLE}" value="{title}" aria-label="{texts.NEW_TITLE}">'
        f'<button type="submit" class="plain" data-act="rename">{texts.SAVE}</button>'
        f'<button type="button" class="plain" data-fold>{texts.CANCEL}</button></form>'
        f'<div class="unfolded" data-part="delete" role="group" aria-label="{texts.REALLY_DELETE}" '
        f"hidden><p>{texts.REALLY_DELETE}</p>"
        f'<button type="button" class="plain" data-act="delete">{texts.DELETE}</button>'
        f'<button type="button" class="plain" data-fold>{texts.KEEP}</button></div></li>'
    )


def _when(moment: str) -> str:
    """Return an ISO date and time in UTC as the local "3 May 2024, 14:05"; escaped."""
    try:
        local = dt.datetime.fromisoformat(moment).astimezone()
    except (ValueError, OverflowError):
        return as_html(moment)
    return f"{local.day} {local:%B} {local.year}, {local:%H:%M}"


def rating(exchange: Exchange) -> str:
    """Return the buttons that rate a finished answer, and the note's field once it is rated."""
    if exchange.state != "answered" or exchange.answer is None:
        return ""
    place = f'data-act="rate" data-exchange="{exchange.number}"'
    buttons = "".join(
        f'<button type="button" class="rate {kind}" {place} data-rating="{kind}" '
        f'aria-pressed="{str(exchange.rating == kind).lower()}">{name}</button>'
        for kind, name in (("up", texts.GOOD), ("down", texts.NOT_GOOD))
    )
    if exchange.rating is None:
        return f'<div class="rating" role="group" aria-label="{texts.RATE}">{buttons}</div>'
    told = texts.RATED_UP if exchange.rating == "up" else texts.RATED_DOWN
    return (
        f'<div class="rating" role="group" aria-label="{texts.RATE}">{buttons}'
        f'<p class="told" role="status">{told}</p>'
        f'<form class="note-form"><input name="note" dir="auto" maxlength="{NOTE}" '
        f'value="{as_html(exchange.note)}" aria-label="{texts.NOTE}" placeholder="{texts.NOTE}">'
        f'<button type="submit" class="plain" {place} data-rating="{exchange.rating}" data-noted>'
        f"{texts.SAVE_NOTE}</button></form></div>"
    )

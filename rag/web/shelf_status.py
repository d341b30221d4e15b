"""What adding and removing did, and how far the reading of the articles is, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Self

from rag import texts
from rag.server.background import Status
from rag.text.untrusted import as_html
from rag.wording import time_left

NAMED = 3  # files that are named before the rest is counted
REFUSED = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to the files of one drop, or to one that was removed."""

    kept: tuple[str, ...] = ()  # paths
    refused: tuple[str, ...] = ()  # sentences that name the file and the reason
    removed: str = ""  # path
    place: str = ""  # of what was removed
    copying: str = ""  # name of the folder whose files are being copied
    others: str = ""  # a sentence about the files that are left out of it
    too_many: str = ""  # a sentence about those that were more than can be added at once
    articles: int = 0  # in the index, of the kept files
    skipped: tuple[tuple[str, str], ...] = ()  # parts of the kept files, each with the reason

    def with_kept(self, path: str) -> Self:
        return replace(self, kept=(*self.kept, path))

    def with_refused(self, reason: str) -> Self:
        return replace(self, refused=(*self.refused, reason))

    def with_articles(self, articles: int, skipped: Sequence[tuple[str, str]]) -> Self:
        return replace(self, articles=articles, skipped=tuple(skipped))


def status_html(status: Status, outcome: Outcome) -> str:
    """Return both; what a screen reader reads out does not change with each step."""
    said = _running(outcome) if status.running else _ended(status, outcome)
    state = "running" if status.running else "done"
    return (
        f'<div class="shelving" data-state="{state}" data-run="{status.run}">'
        f'<div role="status">{said}</div>{_progress(status)}{_refused(outcome)}'
        f"{_others(outcome)}{_dismiss(status)}"
        "</div>"
    )


def _running(outcome: Outcome) -> str:
    if outcome.copying:
        return f"<p>{texts.COPYING.format(_named([outcome.copying]))}</p>"
    if outcome.removed:
        return f"<p>{texts.REMOVING.format(_named([outcome.removed]))}</p>"
    if outcome.kept:
        return f"<p>{texts.READING_THESE.format(_named(outcome.kept))}</p>"
    return f"<p>{texts.READING_ALL}</p>"


def _progress(status: Status) -> str:
    if not status.running:
        return ""
    known = f' max="{status.all}" value="{status.done}"' if status.all > 1 else ""
    steps = texts.FILES_READ.format(status.done, status.all) if status.all > 1 else ""
    left = time_left(status.seconds_left) if status.seconds_left is not None else ""
    return (
        f'<p class="progress"><progress{known} aria-label="{texts.READING_ARTICLES}"></progress>'
        f"<span>{' · '.join(part for part in (steps, left) if part)}</span></p>"
    )


def _ended(status: Status, outcome: Outcome) -> str:
    if status.error:
        return f'<p class="wrong" dir="auto">{as_html(status.error)}</p>'
    if outcome.removed:
        place = f'<span class="path">{as_html(outcome.place)}</span>'
        return f"<p>{texts.REMOVED.format(_named([outcome.removed]), place)}</p>"
    if outcome.kept:
        count = texts.articles(outcome.articles)
        return f"<p>{texts.ADDED.format(_named(outcome.kept), count)}</p>"
    return f"<p>{texts.NOTHING_ADDED}</p>"


def _refused(outcome: Outcome) -> str:
    told = [*outcome.refused, *(f"{path} {reason}." for path, reason in outcome.skipped)]
    if not told:
        return ""
    rows = "".join(f'<li dir="auto">{as_html(line)}</li>' for line in told[:REFUSED])
    left = len(told) - REFUSED
    more = f"<li>{texts.AND_MORE.format(left)}</li>" if left > 0 else ""
    head = (texts.NOT_READ if outcome.skipped else texts.NOT_ADDED).format(texts.files(len(told)))
    return f'<div class="refused" role="status"><p>{head}:</p><ul>{rows}{more}</ul></div>'


def _others(outcome: Outcome) -> str:
    said = (outcome.too_many, outcome.others)
    return "".join(f'<p class="others" dir="auto">{as_html(line)}</p>' for line in said if line)


def _dismiss(status: Status) -> str:
    if status.running:
        return ""
    return f'<button type="button" class="quiet" data-dismiss>{texts.DISMISS}</button>'


def _named(paths: Sequence[str]) -> str:
    names = [f'<b dir="auto">{as_html(PurePosixPath(p).name)}</b>' for p in paths[:NAMED]]
    return texts.all_of(names, len(paths) - len(names))

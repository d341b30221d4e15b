"""What a person reads in a terminal: answers, found sentences, changes of an index, models."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from rag.text.untrusted import clean, one_line
from rag.types import NO_ARTICLES, Progress

if TYPE_CHECKING:
    from rag.models.files import ModelStatus
    from rag.types import Answer, Changes, Citation, Claim, Event, Evidence, SearchResult


SHOWN = 3  # sentences under a refusal
COPIES = 3  # other articles with the same sentence that are named
WIDEST = 100  # columns


def wrapped(text: str, first: str = "", rest: str = "") -> str:
    """Return one paragraph, cleaned and wrapped to the terminal's width, with these indents."""
    return textwrap.fill(
        one_line(text),
        min(WIDEST, max(20, shutil.get_terminal_size().columns)),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def changes(
    done: Changes, index: Path, *, planned: bool = False, vectors: Mapping[str, Any] | None = None
) -> str:
    """Say what a sync changed (or would change), each skipped file with its reason, and where the
    index lies.
    """
    lines = [f"Articles: {done}."]
    if planned:
        lines.insert(0, "Nothing was written. Without --dry-run this would be done:")
    for name in ("added", "edited", "renamed", "removed"):
        paths: Sequence[str] = getattr(done, name)
        if paths and (planned or len(paths) <= 10):
            lines.append(f"  {name}: {', '.join(paths)}")
    lines += [f"  skipped: {path}: {reason}" for path, reason in done.skipped]
    if not done.left() and not (planned and done.rebuilt):  # what a damaged store has is not known
        lines.append(NO_ARTICLES)
    if done.rebuilt:
        lines.append(f"Rebuilt, as far as it depends on this: {done.rebuilt}.")
    if vectors and vectors.get("search") == "ivf" and not planned:
        lines.append(
            "Vectors: {probes} of {lists} lists are searched, which finds {recall:.1%} of the 10 "
            "nearest passages of an exact search (measured).".format(**vectors)
        )
    return "\n".join(clean(line.replace("\n", " ")) for line in [*lines, f"Index: {index}"])


def streamed(events: Iterable[Event]) -> Iterator[str]:
    """Yield the claims as they are verified, then the notes and footnotes, or the refusal."""
    from rag.types import Answer, ClaimVerified

    gap = ""
    for event in events:
        parts: list[str] = []
        if isinstance(event, ClaimVerified):
            yield claim(event.claim)
            gap = "\n"
        elif isinstance(event, Answer) and event.declined:
            parts = [refusal(event)]
        elif isinstance(event, Answer):
            parts = [wrapped(note) for note in event.notes]
            parts += ["\n".join(footnote(c) for c in event.citations)] if event.citations else []
        for part in parts:
            yield gap + part
            gap = "\n"


def claim(said: Claim) -> str:
    """A claim with its markers, as a paragraph."""
    return wrapped(said.text + "".join(f" [{number}]" for number in said.citations))


def footnote(citation: Citation) -> str:
    """``[1] “quote” — Title, date (path)``."""
    mark = f"[{citation.number}] "
    return wrapped(_source(citation), mark, " " * len(mark))


def refusal(answer: Answer) -> str:
    """What the answer says instead of claims, and the nearest sentences."""
    notes = answer.notes or (answer.reason or "The articles do not say.",)
    nearest = [wrapped(_source(e), "  - ", "    ") for e in answer.evidence[:SHOWN]]
    listed = ["\n".join(["Nearest sentences:", *nearest])] if nearest else []
    return "\n\n".join([*(wrapped(note) for note in notes), *listed])


def found(result: SearchResult) -> str:
    """The evidence sentences and the passages, best first."""
    sentences = [
        wrapped(_source(e), f"{n:2}. {e.score:.3f} ", "    ")
        for n, e in enumerate(result.evidence, start=1)
    ]
    passages = [
        f"{n:2}. {hit.score:.3f} {one_line(hit.article)} {hit.start}–{hit.end}"
        for n, hit in enumerate(result.passages, start=1)
    ]
    head = f"Confidence that the articles answer this: {result.confidence:.2f}"
    parts = [head]
    parts += ["\n".join(["Sentences:", *sentences])] if sentences else ["Nothing was found."]
    parts += ["\n".join(["Passages:", *passages])] if passages else []
    return "\n\n".join(parts)


def _source(of: Citation | Evidence) -> str:
    date = f", {of.published}" if of.published else ""
    page = f", p. {of.page}" if of.page else ""
    return f"“{of.quote}” — {of.title}{date} ({of.article}{page}){also_in(of)}"


def also_in(of: Citation | Evidence) -> str:
    """Return ``; also in Title, date (path)`` for the other articles with the same sentence."""
    others = [
        f"{copy.title}{f', {copy.published}' if copy.published else ''} ({copy.article})"
        for copy in of.also_in[:COPIES]
    ]
    more = len(of.also_in) - COPIES
    others += [f"{more} more"] if more > 0 else []
    return f"; also in {'; '.join(others)}" if others else ""


def models(rows: Sequence[ModelStatus]) -> str:
    """A table: name, use, size, state, path."""
    width = max(len(row.name) for row in rows)
    return "\n".join(
        f"{row.name:{width}}  {row.use:7}  {size(row.size):>8}  {row.state:7}  {row.path}"
        for row in rows
    )


def size(number: int) -> str:
    """Bytes as a person reads them, in powers of ten."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


# A progress bar on stderr, if that is a terminal.


@contextmanager
def bar(title: str) -> Iterator[Progress]:
    """Yield what moves the bar; it appears with the first call."""
    shown: Any = None

    def progress(done: int, total: int) -> None:
        nonlocal shown
        if shown is None:
            shown = tqdm(desc=title, total=total, initial=done, disable=None, leave=False)
        shown.update(done - shown.n)

    try:
        yield progress
    finally:
        if shown is not None:
            shown.close()

"""What a person reads in a terminal, and JSON that any terminal and any reader can take.

Article text is not trusted: what could steer the terminal or turn the reading order is left out.
"""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.changes import NO_ARTICLES

if TYPE_CHECKING:
    from rag.changes import Changes
    from rag.models import ModelStatus
    from rag.types import Answer, Citation, Claim, Event, Evidence, SearchResult

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}]")
# Valid in JSON, but ends of lines or commands to some readers; lone surrogates are not UTF-8.
_ESCAPED = re.compile(f"[\x7f-\x9f\u2028\u2029{_BIDI}\ud800-\udfff]")

SHOWN = 3  # sentences under a refusal
COPIES = 3  # other articles with the same sentence that are named
WIDEST = 100  # columns
LISTED = 20  # ids of changed questions


def clean(text: str) -> str:
    """Return the text without control characters (but line feeds and tabs) and bidi overrides."""
    return _UNSAFE.sub("", text)


def one_line(text: str) -> str:
    """Return the text cleaned and on one line."""
    return " ".join(clean(text).split())


def to_json(value: object, indent: int | None = None) -> str:
    """Return JSON in readable Unicode that is always valid UTF-8 and one line per row."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


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
    for name in ("added", "edited", "renamed", "removed", "repaired"):
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


def markdown(result: Mapping[str, Any]) -> str:
    """An evaluation as Markdown tables."""
    config = result["config"]
    parts = [
        f"# {result['set']}",
        f"System {result['system']}, commit {result['commit']}, {result['date']}, encoder "
        f"{config['encoder']}, generator {config['generator']}"
        f"{', model ' + config['model'] if config['model'] else ''}.",
    ]
    for name, part in result["parts"].items():
        parts += [f"## {name}: {part['n']} questions", *_notes(part)]
        parts.append(_table("metric", part["metrics"]))
        parts += [_table(title, rows) for title, rows in part["by_kind"].items()]
        if stages := part["latency_ms"]:
            rows = [f"\n| {k} | {v['p50']:.0f} | {v['p95']:.0f} |" for k, v in stages.items()]
            parts.append("".join(["| stage, ms | p50 | p95 |\n|---|---|---|", *rows]))
    return clean("\n\n".join(parts))


def _notes(part: Mapping[str, Any]) -> list[str]:
    counts = {
        "Not asked, since they name nothing that tells the articles apart (has_entity is false)":
            part["left_out_as_ambiguous"],
        "Rows refused": len(part["refused_rows"]),
        "Rows that ended with an error": part["errors"],
    }  # fmt: skip
    said = " ".join(f"{what}: {count}." for what, count in counts.items() if count)
    return [said] if said else []


def _table(title: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"| {title} | value | 95 % interval | n |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {number(row['value'])} | {number(row['low'])} to {number(row['high'])} "
        f"| {row['n']} |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def number(value: float | None) -> str:
    """A figure of a table; a dash where it is undefined."""
    return "–" if value is None else f"{value:.4g}"


def comparison(done: Mapping[str, Any]) -> str:
    """Two evaluations side by side as a Markdown table, and which questions changed in the metrics
    that were named, else in those that moved by more than chance.
    """
    lines = [f"# {done['set']}", "", f"Before: {done['before']}  ", f"After: {done['after']}", ""]
    lines += [f"- {name}: {old} → {new}" for name, (old, new) in done["settings"].items()]
    for part, counts in done["questions"].items():
        left = " and ".join(map(str, counts["left_out"]))
        rest = f" ({left} are in one result only)" if any(counts["left_out"]) else ""
        lines.append(f"- {part}: {counts['shared']} questions in both{rest}")
    lines += [
        "",
        "| metric | before | after | difference | 95 % interval | n | |",
        "|---" * 7 + "|",
    ]
    for name, row in done["metrics"].items():
        verdict = "better" if row["better"] else "worse" if row["worse"] else ""
        mark = " (gate)" if name in done["gate"] else ""
        lines.append(
            f"| {name}{mark} | {number(row['before'])} | {number(row['after'])} "
            f"| {row['value']:+.4f} | {row['low']:+.4f} to {row['high']:+.4f} | {row['n']} "
            f"| {verdict} |"
        )
    rows = done["metrics"]
    shown = done["gate"] or [name for name in rows if rows[name]["better"] or rows[name]["worse"]]
    for name, moved in done["changed"].items():
        if name in shown:
            lines += ["", f"{name}: {len(moved['better'])} better, {len(moved['worse'])} worse"]
            lines += [f"- {how}: {_some(ids)}" for how, ids in moved.items() if ids]
    if unlisted := len(done["changed"].keys() - set(shown)):
        lines += ["", f"Questions changed in {unlisted} more metrics; --json lists them."]
    return clean("\n".join(lines))


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - LISTED} more (--json lists all)" if len(ids) > LISTED else ""
    return f"{', '.join(ids[:LISTED])}{more}"

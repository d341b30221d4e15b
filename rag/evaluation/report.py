"""An evaluation, and the comparison of two, as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rag.text.untrusted import clean

LISTED = 20  # ids of changed questions


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
    ambiguous = (
        "Not asked, since they name nothing that tells the articles apart (has_entity is false)"
    )
    counts = {
        ambiguous: part["left_out_as_ambiguous"],
        "Rows refused": len(part["refused_rows"]),
        "Rows that ended with an error": part["errors"],
    }
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

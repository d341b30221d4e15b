"""Two results → paired differences: the same questions, before and after a change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.command import command
from rag.errors import InputError
from rag.evaluation.cases import PARTS, PartName
from rag.evaluation.measures import METRICS_OF, Metric, interval_row, statistic_of, values_of
from rag.evaluation.metrics import bootstrap_interval, mean
from rag.evaluation.run import VERSION
from rag.evaluation.scores import Row


def read(path: Path) -> Row:
    """Return a result file of this version. Raises InputError."""
    try:
        result = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"There is no result {path} ({error.strerror}).") from error
    except ValueError as error:
        raise InputError(
            f"{path} is not a result file of eval: it is not JSON ({error})."
        ) from error
    version = result.get("version") if isinstance(result, dict) else None
    if version != VERSION:
        raise InputError(
            f"{path} cannot be compared: its field version is {version!r} and this program reads "
            f"{VERSION}. Make it again with: {command()} eval"
        )
    return dict(result)


def compare(before: Row, after: Row, gate: Sequence[str] = ()) -> Row:
    """Return each metric's paired difference, after − before, with its 95 % interval, and the ids
    of the questions that got better and worse.

    ``gate`` names the metrics that must not get worse. Raises InputError when the two are not about
    the same questions and articles.
    """
    shared = [part for part in PARTS if part in before["parts"] and part in after["parts"]]
    if apart := _apart(before, after, shared):
        raise InputError(f"The two results cannot be compared: {'; '.join(apart)}.")
    done: Row = {
        "set": before["set"],
        "before": _label(before),
        "after": _label(after),
        "settings": _settings(before, after),
        "questions": {},
        "metrics": {},
        "changed": {},
    }
    for part in shared:
        old, new = _paired(before["parts"][part]["questions"], after["parts"][part]["questions"])
        n = len(old["id"])
        left_out = [len(result["parts"][part]["questions"]["id"]) - n for result in (before, after)]
        done["questions"][part] = {"shared": n, "left_out": left_out}
        for name, metric in METRICS_OF[part].items():
            if row := difference(metric, old, new):
                done["metrics"][f"{part}.{name}"] = row
        done["changed"] |= _changed(part, old, new)
    done["gate"] = [_full_name(name, done["metrics"]) for name in gate]
    return done


def _apart(before: Row, after: Row, shared: Sequence[PartName]) -> list[str]:
    """Say which fields make the two results ones of different things."""
    apart = []
    if before["set"] != after["set"]:
        apart.append(f"set is {before['set']} and {after['set']}")
    old, new = (result["index"].get("articles_sha256", "")[:8] for result in (before, after))
    if old != new:
        apart.append(f"index.articles_sha256 is {old}… and {new}…")
    if not shared:
        parts = [", ".join(result["parts"]) for result in (before, after)]
        apart.append(f"parts is {parts[0]} and {parts[1]}")
    for part in shared:
        ids = [set(result["parts"][part]["questions"]["id"]) for result in (before, after)]
        if not ids[0] & ids[1]:
            apart.append(f"parts.{part}.questions have no id in common")
    return apart


def _label(result: Row) -> str:
    return f"{result['system']}, commit {result['commit']}, {result['date']}"


def _settings(before: Row, after: Row) -> dict[str, list[Any]]:
    """What the two were made with, where it differs: field → before, after."""
    fields = {
        **{key: (before.get(key), after.get(key)) for key in ("system", "commit")},
        **{
            f"config.{key}": (before["config"].get(key), after["config"].get(key))
            for key in sorted(before["config"].keys() | after["config"].keys())
        },
    }
    return {name: [old, new] for name, (old, new) in fields.items() if old != new}


def _paired(before: Row, after: Row) -> tuple[Row, Row]:
    """The two tables over the ids that both have, in the same order."""
    places = [{identity: n for n, identity in enumerate(t["id"])} for t in (before, after)]
    ids = [identity for identity in before["id"] if identity in places[1]]
    old, new = (
        {name: [values[at[identity]] for identity in ids] for name, values in table.items()}
        for table, at in zip((before, after), places, strict=True)
    )
    return old, new


def difference(metric: Metric, before: Row, after: Row) -> Row | None:
    """The metric's difference over paired questions: resamples take both sides of a question, and
    each side counts where it has its numbers. None when a side has none.
    """
    if not set(metric.columns) <= before.keys() & after.keys():
        return None
    old, new = values_of(metric, before), values_of(metric, after)
    width = len(metric.columns)
    both = np.hstack([old, new])  # (questions, 2 × columns)
    both = both[~(np.isnan(old).any(axis=1) & np.isnan(new).any(axis=1))]

    def change(rows: NDArray[np.float64]) -> float:
        return statistic_of(metric, rows[:, width:]) - statistic_of(metric, rows[:, :width])

    if not len(both) or np.isnan(whole := change(both)):
        return None
    if metric.statistic is mean and not np.isnan(both).any():  # the same, faster
        interval = bootstrap_interval(both[:, width:].mean(axis=1) - both[:, :width].mean(axis=1))
    else:
        interval = bootstrap_interval(both, change)
    row = interval_row(whole, *interval, len(both))
    worse = row["low"] > 0 if metric.lower_is_better else row["high"] < 0
    better = row["high"] < 0 if metric.lower_is_better else row["low"] > 0
    sides = {
        name: round(statistic_of(metric, values), 4)
        for name, values in (("before", old), ("after", new))
    }
    return {**sides, **row, "better": better, "worse": worse}


def _changed(part: PartName, before: Row, after: Row) -> Row:
    """Of each metric that is a mean of one number per question: the ids that moved."""
    changed = {}
    for name, metric in METRICS_OF[part].items():
        if len(metric.columns) == 1 and set(metric.columns) <= before.keys() & after.keys():
            old, new = (values_of(metric, table)[:, 0] for table in (before, after))
            gain = (old - new) if metric.lower_is_better else (new - old)
            ids = np.array(before["id"], object)
            moved = {"better": list(ids[gain > 0]), "worse": list(ids[gain < 0])}
            if moved["better"] or moved["worse"]:
                changed[f"{part}.{name}"] = moved
    return changed


def _full_name(name: str, known: Row) -> str:
    """``part.metric`` of a metric that is named by itself. Raises InputError."""
    found = [full for full in known if name in {full, full.partition(".")[2]}]
    if len(found) != 1:
        problem = f"is in {' and '.join(found)}: name one" if found else "is in neither result"
        choice = "" if found else f". Known: {', '.join(known)}"
        raise InputError(f"The metric {name!r} {problem}{choice}.")
    return found[0]

"""The plots of an evaluation, as SVG that takes its colours and fonts from the page around it.

Matplotlib draws with stand-in colours; each becomes a variable of the page's style sheet, so the
same drawing is right on light and on dark paper.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from rag.text.templating import ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

INK, MUTED, RULE, ACCENT, SECOND, PAPER = (f"#0{n}0{n}0{n}" for n in range(1, 7))
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    ACCENT: "accent",
    SECOND: "second",
    PAPER: "paper",
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 10.5,
    "text.color": MUTED,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.edgecolor": RULE,
    "grid.color": RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "xtick.major.pad": 6,
    "ytick.major.pad": 6,
    "axes.labelpad": 8,
    "font.family": "sans-serif",
}
LINES = {"passages": (SECOND, "s"), "evidence": (ACCENT, "o"), "articles": (MUTED, "^")}


def recall_by_k(metrics: Mapping[str, Any], cutoffs: Sequence[int]) -> str:
    """Recall of what was found, each point with its 95 % interval."""
    with _drawing("Recall at k, with 95 percent intervals", "recall") as (axes, out):
        ends: list[tuple[float, str, str]] = []
        for what, (colour, marker) in LINES.items():
            rows = [metrics.get(f"{what}_recall@{k}") for k in cutoffs]
            if None in rows or (what == "articles" and ends):
                continue
            points = [row for row in rows if row]
            value = [row["value"] for row in points]
            low = [row["value"] - row["low"] for row in points]
            high = [row["high"] - row["value"] for row in points]
            beside = [place + 0.06 * len(ends) for place in range(len(cutoffs))]
            axes.errorbar(
                beside,
                value,
                (low, high),
                color=colour,
                marker=marker,
                markersize=6,
                linewidth=1.8,
                elinewidth=1.2,
                capsize=3,
                markeredgecolor=PAPER,
                clip_on=False,
            )
            ends.append((value[-1], what.capitalize(), colour))
        for (at, _, colour), (_, what, _) in zip(_apart(ends), sorted(ends), strict=True):
            axes.annotate(
                what,
                (len(cutoffs) - 0.94, at),
                (10, 0),
                textcoords="offset points",
                va="center",
                color=colour,
                fontweight="bold",
                annotation_clip=False,
            )
        axes.set_xticks(list(range(len(cutoffs))), [str(k) for k in cutoffs])
        axes.set_xlim(-0.15, len(cutoffs) - 0.35)
        axes.set_xlabel("k, how many are looked at")
        _shares(axes)
    return out[0]


def _apart(ends: Sequence[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """The labels' heights, moved so that none covers another."""
    moved: list[tuple[float, str, str]] = []
    for value, what, colour in sorted(ends):
        lowest = moved[-1][0] + 0.07 if moved else value
        moved.append((max(value, lowest), what, colour))
    return moved


def risk_coverage(points: Sequence[Sequence[float]]) -> str:
    """The error rate among the surest answers, by how many of them are kept."""
    with _drawing("Error rate by coverage", "risk") as (axes, out):
        coverage, risk = [p[0] for p in points], [p[1] for p in points]
        axes.fill_between(coverage, risk, color=ACCENT, alpha=0.1, linewidth=0)
        axes.plot(coverage, risk, color=ACCENT, linewidth=1.8)
        axes.set_xlim(0, 1)
        axes.set_xlabel("Share of the questions that are answered, the surest first")
        axes.set_ylabel("Wrong among them")
        _percent(axes, "x")
        _percent(axes, "y")
        axes.set_ylim(0, min(1.0, 1.15 * max([*risk, 0.1])))
    return out[0]


def reliability(bins: Sequence[Sequence[float]]) -> str:
    """What the confidence said, and what turned out; the area of a dot is its questions."""
    with _drawing("Reliability diagram", "reliability", square=True) as (axes, out):
        most = max(n for _, _, n in bins)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
        for sure, right, n in bins:
            axes.plot([sure, sure], [sure, right], color=ACCENT, linewidth=1, alpha=0.6)
            axes.scatter(
                [sure],
                [right],
                s=30 + 330 * n / most,
                color=ACCENT,
                alpha=0.85,
                edgecolor=PAPER,
                zorder=3,
                clip_on=False,
            )
        axes.annotate(
            "calibrated",
            (0.3, 0.3),
            (0, 6),
            textcoords="offset points",
            rotation=45,
            rotation_mode="anchor",
            ha="center",
            fontsize=9.5,
        )
        axes.set_xlim(0, 1)
        axes.set_xlabel("Confidence")
        axes.set_ylabel("Share that the articles answer")
        _percent(axes, "x")
        _shares(axes)
    return out[0]


def latency(stages: Mapping[str, Mapping[str, float]]) -> str:
    """The median and the 95th percentile of each stage, on a logarithmic scale."""
    with _drawing("Latency by stage", "latency", rows=len(stages)) as (axes, out):
        for place, row in enumerate(stages.values()):
            low, high = max(row["p50"], 0.1), max(row["p95"], 0.1)
            axes.plot([low, high], [place, place], color=ACCENT, linewidth=2, alpha=0.45)
            axes.plot([low], [place], "o", color=ACCENT, markersize=8, markeredgecolor=PAPER)
            axes.plot([high], [place], "|", color=ACCENT, markersize=12, markeredgewidth=2)
            axes.annotate(
                seconds(row["p95"]),
                (high, place),
                (9, 0),
                textcoords="offset points",
                va="center",
                color=MUTED,
                fontsize=9.5,
                annotation_clip=False,
            )
        axes.set_xscale("log")
        widest = max(max(row["p95"], 0.1) for row in stages.values())
        axes.set_xlim(0.08, widest * 4)
        ticks = [10.0**power for power in range(-1, 6) if 10.0**power <= widest * 4]
        axes.set_xticks(ticks, [seconds(tick) for tick in ticks])
        axes.set_yticks(range(len(stages)), [name.replace("_", " ") for name in stages])
        axes.set_ylim(len(stages) - 0.4, -0.6)
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.spines["bottom"].set_visible(False)
    return out[0]


def seconds(milliseconds: float) -> str:
    """A time as a person reads it."""
    return f"{milliseconds / 1000:.3g} s" if milliseconds >= 1000 else f"{milliseconds:.3g} ms"


def _shares(axes: Axes) -> None:
    axes.set_ylim(0, 1.02)
    _percent(axes, "y")


def _percent(axes: Axes, which: str) -> None:
    from matplotlib.ticker import PercentFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))


@contextmanager
def _drawing(
    label: str, salt: str, *, square: bool = False, rows: int | None = None
) -> Iterator[tuple[Axes, list[str]]]:
    """Axes to draw on; afterwards the list holds the SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    height = 4.2 if square else 3.7 if rows is None else 0.9 + 0.36 * rows
    out: list[str] = []
    with mpl.rc_context({**_STYLE, "svg.hashsalt": salt}):
        figure = Figure(figsize=(5.4, height), layout="constrained")
        yield figure.add_subplot(), out
        drawn = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(drawn, format="svg", transparent=True, metadata=nothing)
    out.append(_inline(drawn.getvalue(), label))


def _inline(svg: str, label: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", svg)
    for colour, name in _VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name})")
    return ours(svg.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1))

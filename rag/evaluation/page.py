"""An evaluation as one HTML page: plots with their tables, and the worst errors.

Every text of questions and articles is escaped where it enters the markup, and the page's policy
lets it load nothing and run nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from rag.evaluation import charts
from rag.evaluation.mistakes import errors_html, worst
from rag.evaluation.run import Evaluation
from rag.evaluation.scores import CUTOFFS

_STYLE = files("rag.evaluation") / "templates/report.css"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(done: Evaluation, articles: Path) -> str:
    """Return the page. Needs matplotlib."""
    result = done.result
    parts: Mapping[str, Any] = result["parts"]
    sections = [
        _retrieval(parts["retrieval"]) if "retrieval" in parts else "",
        _trust(parts["answers"]) if "answers" in parts else "",
        _latency(parts),
        _errors(done, articles),
        *(_figures(name, part) for name, part in parts.items()),
    ]
    name = escape(result["set"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}: an evaluation of Footnote</title>"
        f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head><body>"
        f'<header><p class="over"><span class="wordmark">Footnote<sup>1</sup></span> &ensp;'
        f"Evaluation</p><h1>{name}</h1>"
        f'<p class="lede">{escape(in_words(result))}</p><p class="made">{_made(result)}</p>'
        f"{_keys(parts)}</header><main>{''.join(sections)}</main>"
        "<footer><p>Intervals are 95 % bootstrap intervals over the questions; of a share of 0 or "
        "1 they are Wilson's. This page holds texts of questions and articles; the result file "
        "beside it holds none.</p></footer>"
        "</body></html>\n"
    )


def _made(result: Mapping[str, Any]) -> str:
    config, machine = result["config"], result["machine"]
    model = f" ({config['model']})" if config["model"] else ""
    return escape(
        f"System {result['system']}, commit {result['commit']}, {result['date'][:10]}. Encoder "
        f"{config['encoder']}, generator {config['generator']}{model}, "
        f"{result['index']['articles']} articles, {machine['cpus']} CPU cores."
    )


def _keys(parts: Mapping[str, Any]) -> str:
    shown: list[str] = []
    for part, name in KEYS:
        row = parts.get(part, {}).get("metrics", {}).get(name)
        if row and row["value"] is not None and len(shown) < 4:
            shown.append(
                f"<div><dt>{title_of(name)}</dt><dd class='value'>{_figure(name, row['value'])}"
                f"</dd><dd class='range'>{_range(name, row)}</dd></div>"
            )
    return f'<dl class="keys">{"".join(shown)}</dl>'


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name in {"mean_quote_length", "answer_characters"}:
        return f"{value:.0f}"
    return f"{value:.2f}" if name in {"auroc", "aurc", "ece", "sentences_found"} else _share(value)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _range(name: str, row: Mapping[str, Any]) -> str:
    if row["low"] is None:
        return "–"
    low, high = (_figure(name, row[key]) for key in ("low", "high"))
    return f"{low.removesuffix(' %')}–{high}"


def _retrieval(part: Mapping[str, Any]) -> str:
    metrics = part["metrics"]
    kinds = [w for w in ("evidence", "passages", "articles") if f"{w}_recall@1" in metrics]
    if not kinds:
        return ""
    head = "".join(f"<th scope='col'>{kind.capitalize()}</th>" for kind in ("recall at", *kinds))
    rows = ""
    for k in CUTOFFS:
        cells = "".join(
            f"<td class='value'>{_share(row['value'])}<small>{_range('', row)}</small></td>"
            for row in (metrics[f"{kind}_recall@{k}"] for kind in kinds)
        )
        rows += f"<tr><th scope='row'>k = {k}</th>{cells}</tr>"
    n = metrics[f"{kinds[0]}_recall@1"]["n"]
    left = part["left_out_as_ambiguous"]
    note = f" Not asked, since they name nothing to find them by: {left}." if left else ""
    return _section(
        "Finding the sentence",
        f"Recall at k: how much of the known evidence of {n} questions is among the first k "
        f"sentences, and in the first k passages.{note}",
        _beside(charts.recall_by_k(metrics, CUTOFFS), _plain(head, rows)),
    )


def _trust(part: Mapping[str, Any]) -> str:
    points, bins = part["curves"]["risk_coverage"], part["curves"]["reliability"]
    blocks = ""
    if points:
        kept = [points[round(share * (len(points) - 1))] for share in (0.1, 0.25, 0.5, 0.75, 1)]
        rows = "".join(
            f"<tr><th scope='row'>{_share(round(at, 2))}</th><td>{_share(risk)}</td></tr>"
            for at, risk in kept
        )
        heading = (
            "<h3>Risk and coverage</h3><p>Answer only the surest questions: how many of the "
            "answers are wrong? An answer to a question that the articles do not answer is.</p>"
        )
        head = "<th scope='col'>Answered</th><th scope='col'>Wrong</th>"
        blocks += _beside(charts.risk_coverage(points), heading + _plain(head, rows))
    rows = "".join(
        f"<tr><th scope='row'>{_share(round(sure, 3))}</th><td>{_share(right)}</td>"
        f"<td>{n}</td></tr>"
        for sure, right, n in bins
    )
    heading = (
        "<h3>Calibration</h3><p>Of the questions with a confidence of 80 %, the articles should "
        "answer 80 %. A dot below the line is too sure; its area shows how many questions.</p>"
    )
    columns = ("Confidence", "Answerable", "Questions")
    head = "".join(f"<th scope='col'>{column}</th>" for column in columns)
    blocks += _beside(charts.reliability(bins), heading + _plain(head, rows))
    return _section("Knowing when not to answer", "", blocks)


def _latency(parts: Mapping[str, Any]) -> str:
    name = next((n for n in ("answers", "retrieval", "claims") if parts.get(n)), None)
    stages = parts[name]["latency_ms"] if name else {}
    if not stages:
        return ""
    rows = "".join(
        f"<tr><th scope='row'>{escape(stage.replace('_', ' '))}</th>"
        f"<td>{charts.seconds(row['p50'])}</td><td>{charts.seconds(row['p95'])}</td></tr>"
        for stage, row in stages.items()
    )
    head = "<th scope='col'>Stage</th><th scope='col'>Median</th><th scope='col'>95th pct.</th>"
    n = max(row["n"] for row in stages.values())
    about = f"Median (dot) and 95th percentile (bar) over {n} {_things(name)}."
    return _section("Time", about, _beside(charts.latency(stages), _plain(head, rows)))


def _errors(done: Evaluation, articles: Path) -> str:
    listed = errors_html(worst(done), articles)
    return _section("The worst errors", "Those that it was surest of.", listed) if listed else ""


def _figures(name: str, part: Mapping[str, Any]) -> str:
    whole = _intervals("Metric", part["metrics"].items())
    tables = [f'<div class="whole">{whole}</div>']
    tables += [
        f"<div>{_intervals(title.replace('_', ' '), rows.items(), title.partition(' ')[0])}</div>"
        for title, rows in part["by_kind"].items()
    ]
    notes = f"{part['n']} {_things(name)}"
    notes += f", {part['errors']} with an error" if part["errors"] else ""
    notes += f"; rows refused: {len(part['refused_rows'])}" if part["refused_rows"] else ""
    return _section(TITLES[name], f"{notes}.", f'<div class="tables">{"".join(tables)}</div>')


def _things(part: str | None) -> str:
    return "claims" if part == "claims" else "questions"


def _intervals(head: str, rows: Iterable[tuple[str, Mapping[str, Any]]], metric: str = "") -> str:
    body = ""
    for name, row in rows:
        of = metric or name
        about = f"<small>{ABOUT[name]}</small>" if not metric and name in ABOUT else ""
        title = escape(name.replace("_", " ")) if metric else title_of(name)
        body += (
            f"<tr><th scope='row'>{title}{about}</th>"
            f"<td class='value'>{_figure(of, row['value'])}</td>"
            f"<td class='range'>{_range(of, row)}</td><td class='span'>{_bar(row)}</td>"
            f"<td>{row['n']}</td></tr>"
        )
    columns = (
        f"<th scope='col'>{escape(head)}</th><th scope='col'>Value</th>"
        "<th scope='col'>95 % interval</th><th scope='col'><span aria-hidden='true'>0–1</span></th>"
        "<th scope='col'>n</th>"
    )
    return f'<div class="intervals">{_plain(columns, body)}</div>'


def _bar(row: Mapping[str, Any]) -> str:
    if row["low"] is None or row["high"] > 1:
        return ""
    left, width, at = (100 * x for x in (row["low"], row["high"] - row["low"], row["value"]))
    return (
        f'<span class="interval" aria-hidden="true"><i style="left:{left:.1f}%;width:{width:.1f}%">'
        f'</i><b style="left:{at:.1f}%"></b></span>'
    )


def _section(title: str, about: str, body: str) -> str:
    said = f"<p>{escape(about)}</p>" if about else ""
    return f"<section><h2>{escape(title)}</h2>{said}{body}</section>"


def _beside(plot: str, table: str) -> str:
    return f'<div class="beside"><figure>{plot}</figure><div>{table}</div></div>'


def _plain(head: str, rows: str) -> str:
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


# What the figures of an evaluation mean, in words.

TITLES = {
    "retrieval": "Retrieval, all figures",
    "answers": "Answers, all figures",
    "claims": "Checking claims, all figures",
}
# The first four of these that a result has stand at the top of its page.
KEYS = (
    ("retrieval", "evidence_recall@5"),
    ("answers", "answer_recall"),
    ("answers", "citation_precision"),
    ("answers", "rejection_rate"),
    ("claims", "balanced_accuracy"),
    ("claims", "auroc"),
    ("claims", "supported_passed"),
    ("claims", "unsupported_passed"),
    ("retrieval", "evidence_recall@1"),
    ("retrieval", "passages_recall@5"),
    ("retrieval", "auroc"),
)
ABOUT = {
    "answer_recall": "answers with all words of a known answer",
    "exact_match": "answers that are a known answer and nothing else",
    "token_f1": "words shared with the nearest known answer",
    "citation_precision": "citations that point at a known sentence, over all answers",
    "citation_gold_or_answer": "citations that do, or that hold a known answer",
    "citation_recall": "known sentences that are cited, over the answers given",
    "citation_f1": "harmonic mean of the two",
    "citation_recall_of_all": "the same, a refusal counting as none",
    "pointer_validity": "quotes that are exactly the place that they name",
    "mean_quote_length": "characters of a cited quote",
    "uncited_claim_rate": "claims without a citation",
    "answer_characters": "characters of an answer",
    "rejection_rate": "questions without an answer in the articles that were declined",
    "false_refusal_rate": "questions with one that were declined",
    "auroc": "how well the score tells yes from no; 0.5 is chance",
    "ece": "calibration error of the confidence, which --accept-errors goes by; lower is better",
    "aurc": "mean error rate over all coverages; lower is better",
    "balanced_accuracy": "mean of both kinds judged rightly; 50 % is chance",
    "supported_passed": "supported claims that pass",
    "unsupported_passed": "other claims that pass; lower is better",
    "sentences_found": "sentences of its article that a claim is judged against",
}
_WORDS = {
    "auroc": "AUROC", "ece": "ECE", "aurc": "AURC", "token_f1": "Token F1",
    "citation_f1": "Citation F1",
}  # fmt: skip


def title_of(metric: str) -> str:
    """The metric's name as people write it."""
    if metric in _WORDS:
        return _WORDS[metric]
    words = metric.replace("_", " ").replace("mrr@", "MRR@").replace("ndcg@", "nDCG@")
    return words[:1].upper() + words[1:]


def in_words(result: Mapping[str, Any]) -> str:
    """The result in a few sentences."""
    parts, said = result["parts"], []
    if found := _value(parts, "retrieval", "evidence_recall@5"):
        said.append(f"The known evidence is among the first five sentences for {found}.")
    if right := _value(parts, "answers", "answer_recall"):
        said.append(
            f"Of the questions that the articles answer, {right} get an answer that holds it"
        )
        refused = _value(parts, "answers", "false_refusal_rate")
        said[-1] += f"; {refused} are declined." if refused else "."
    if cited := _value(parts, "answers", "citation_precision"):
        said.append(f"{cited} of the citations point at a known sentence.")
    if declined := _value(parts, "answers", "rejection_rate"):
        said.append(f"Of the questions that the articles do not answer, {declined} are declined.")
    if passed := _value(parts, "claims", "supported_passed"):
        wrongly = _value(parts, "claims", "unsupported_passed")
        said.append(f"{passed} of the supported claims pass, and {wrongly} of the others.")
    return " ".join(said) or f"{sum(part['n'] for part in parts.values())} questions were asked."


def _value(parts: Mapping[str, Any], part: str, metric: str) -> str | None:
    value = parts.get(part, {}).get("metrics", {}).get(metric, {}).get("value")
    return None if value is None else f"{100 * value:.0f} %"

"""An evaluation as one HTML page: plots with their tables, and the worst errors.

The page is templates/report.html. What it writes of questions and articles is escaped, and the
page's policy lets it load nothing and run nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.evaluation import charts
from rag.evaluation.mistakes import excerpts, worst
from rag.evaluation.run import Evaluation
from rag.evaluation.scores import CUTOFFS
from rag.text.templating import environment

TIMED = ("answers", "retrieval", "claims")  # whose times are shown: the first that there is


def page(evaluation: Evaluation, articles: Path) -> str:
    """Return the page. Needs matplotlib."""
    result = evaluation.result
    parts: Mapping[str, Any] = result["parts"]
    metrics = parts["retrieval"]["metrics"] if "retrieval" in parts else {}
    kinds = [w for w in ("evidence", "passages", "articles") if f"{w}_recall@1" in metrics]
    timed = next((name for name in TIMED if name in parts), None)
    mistakes = [(mistake, *excerpts(mistake, articles)) for mistake in worst(evaluation)]
    templates = environment("rag.evaluation")
    templates.filters |= {"spaced": lambda name: name.replace("_", " "), "title_of": title_of}
    return templates.get_template("report.html").render(
        result=result,
        parts=parts,
        lede=in_words(result),
        keys=_keys(parts),
        found_kinds=kinds,
        cutoffs=CUTOFFS,
        timed=timed,
        stages=parts[timed]["latency_ms"] if timed else {},
        mistakes=mistakes,
        titles=TITLES,
        about=ABOUT,
        charts=charts,
        figure=_figure,
        interval=_interval,
        things=lambda part: "claims" if part == "claims" else "questions",
    )


def _keys(parts: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    rows = ((name, parts.get(part, {}).get("metrics", {}).get(name)) for part, name in KEYS)
    return [(name, row) for name, row in rows if row and row["value"] is not None][:4]


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name in {"mean_quote_length", "answer_characters"}:
        return f"{value:.0f}"
    if name in {"auroc", "aurc", "ece", "sentences_found"}:
        return f"{value:.2f}"
    return f"{100 * value:.1f} %"


def _interval(name: str, row: Mapping[str, Any]) -> str:
    if row["low"] is None:
        return "–"
    low, high = (_figure(name, row[key]) for key in ("low", "high"))
    return f"{low.removesuffix(' %')}–{high}"


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
_IN_WORDS = {
    "auroc": "AUROC",
    "ece": "ECE",
    "aurc": "AURC",
    "token_f1": "Token F1",
    "citation_f1": "Citation F1",
}


def title_of(metric: str) -> str:
    """The metric's name as people write it."""
    if metric in _IN_WORDS:
        return _IN_WORDS[metric]
    words = metric.replace("_", " ").replace("mrr@", "MRR@").replace("ndcg@", "nDCG@")
    return words[:1].upper() + words[1:]


def in_words(result: Mapping[str, Any]) -> str:
    """The result in a few sentences."""
    parts, sentences = result["parts"], []
    if recall := _value(parts, "retrieval", "evidence_recall@5"):
        sentences.append(f"The known evidence is among the first five sentences for {recall}.")
    if right := _value(parts, "answers", "answer_recall"):
        sentences.append(
            f"Of the questions that the articles answer, {right} get an answer that holds it"
        )
        refused = _value(parts, "answers", "false_refusal_rate")
        sentences[-1] += f"; {refused} are declined." if refused else "."
    if cited := _value(parts, "answers", "citation_precision"):
        sentences.append(f"{cited} of the citations point at a known sentence.")
    if declined := _value(parts, "answers", "rejection_rate"):
        sentences.append(
            f"Of the questions that the articles do not answer, {declined} are declined."
        )
    if passed := _value(parts, "claims", "supported_passed"):
        wrongly = _value(parts, "claims", "unsupported_passed")
        sentences.append(f"{passed} of the supported claims pass, and {wrongly} of the others.")
    return (
        " ".join(sentences) or f"{sum(part['n'] for part in parts.values())} questions were asked."
    )


def _value(parts: Mapping[str, Any], part: str, metric: str) -> str | None:
    value = parts.get(part, {}).get("metrics", {}).get(metric, {}).get("value")
    return None if value is None else f"{100 * value:.0f} %"

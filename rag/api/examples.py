"""Examples for programs' authors: one of each shape that is sent or answered. A test holds them to
the document's shapes.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from rag.api.schemas import ProblemRow

PATH, TITLE, DAY = "alliances/secretary.txt", "A new secretary general", "2024-10-02"
SENTENCE = "Mark Rutte became NATO's secretary general on 1 October."
TEXT = f"{TITLE}\nPublished: {DAY}\n\n{SENTENCE}\n"
SPAN = {"start": TEXT.index(SENTENCE), "end": TEXT.index(SENTENCE) + len(SENTENCE)}
QUESTION, WORDS = "Who leads NATO?", "Mark Rutte"
PLACE: dict[str, Any] = {
    "article": PATH,
    "title": TITLE,
    "published": DAY,
    **SPAN,
    "quote": SENTENCE,
    "also_in": [],
    "page": None,
    "url": None,
    "answer": {"start": TEXT.index(WORDS), "end": TEXT.index(WORDS) + len(WORDS)},
}
ANSWER: dict[str, Any] = {
    "question": QUESTION,
    "answer": f"{SENTENCE} [1]",
    "declined": False,
    "reason": None,
    "confidence": 0.93,
    "claims": [
        {
            "text": SENTENCE,
            "citations": [1],
            "verdict": "quoted",
            "support": 1.0,
            "repair": None,
        }
    ],
    "citations": [{"number": 1, **PLACE, "support": 1.0}],
    "evidence": [{**PLACE, "score": 0.82}],
    "notes": [],
    "timings_ms": {"retrieve": 41.0, "first_evidence": 42.0, "generate": 6100.0, "total": 6200.0},
    "models": {
        "encoder": "all-MiniLM-L6-v2",
        "reader": "default",
        "generator": "qwen2.5-coder-1.5b-instruct",
    },
}
FILE = {"path": PATH, "title": TITLE, "published": DAY, "source": None}
SHAPES: dict[str, Any] = {
    "AnswerRow": ANSWER,
    "SearchRow": {
        "question": QUESTION,
        "confidence": 0.93,
        "passages": [{"article": PATH, **SPAN, "score": 0.82}],
        "evidence": [{**PLACE, "score": 0.82}],
    },
    "ArticlesRow": {
        "total": 1,
        "articles": [{**FILE, "sentences": 1, "characters": len(TEXT)}],
        "skipped": [{"file": "scan.pdf", "reason": "has no text"}],
    },
    "ArticleRow": {**FILE, "author": None, "url": None, "text": TEXT, "sentences": [SPAN]},
    "Added": {"path": f"uploads/{PATH}"},
    "Ready": {"ready": True, "index": "open", "model": "loaded"},
    "ProblemRow": {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "The question is empty.",
        "request_id": "5f0c2a9e71d44b0c",
    },
}
MODEL = {"id": "footnote", "object": "model", "created": 0, "owned_by": "footnote"}
MESSAGE: dict[str, Any] = {
    "role": "assistant",
    "refusal": None,
    "content": f"{SENTENCE} [1]\n\nSources:\n[1] {TITLE} ({DAY}), {PATH}: “{SENTENCE}”",
    "annotations": [],
    "footnote": ANSWER,
}
# What is answered without a shape of its own.
ANSWERS: dict[str, Any] = {
    "/healthz": {"status": "alive"},
    "/v1/models": {"object": "list", "data": [MODEL]},
    "/v1/chat/completions": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_730_000_000,
        "model": "footnote",
        "usage": {
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "total_tokens": 0,
        },
        "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop", "logprobs": None}],
    },
}


def add_examples(app: FastAPI) -> None:
    """Put the examples into the app's document; FastAPI itself drops each null in them."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        known = app.openapi_schema
        return known or _with_examples(plain())

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend it


def _with_examples(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["ProblemRow"] = ProblemRow.model_json_schema()
    for name in schemas.keys() & SHAPES.keys():
        schemas[name]["examples"] = [SHAPES[name]]
    for path, example in ANSWERS.items():
        for operation in document["paths"].get(path, {}).values():
            operation["responses"]["200"]["content"]["application/json"]["example"] = example
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["example"] = PATH
    return document

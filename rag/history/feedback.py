"""What visitors say of answers, as rows that ``python -m rag eval FOLDER`` reads
(rag/evaluation/cases.py).

A good answer goes into questions.jsonl: the sentences that it cites are gold, and a refusal that
was right is a question without an answer. What would have been right instead of a bad one only a
person can say: its row, with the note, goes into not_good.jsonl, for that person to complete. Cited
articles are copied as they are now, so that the offsets still hold when the articles are edited.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation.questions import lines, read_row
from rag.history.conversation import Exchange, Read, stands, turns
from rag.history.storage import replace_file
from rag.types import Article, Citation

GOOD, NOT_GOOD = "questions.jsonl", "not_good.jsonl"
ROWS = 10_000  # of a file
NOTE = 2_000  # characters of a note on a rating
_PLAIN = re.compile(r"[\w(),'][\w .(),'-]*(?:/[\w(),'][\w .(),'-]*)*\.txt")


class Feedback:
    """The rows in one folder. Nothing is created before something is rated."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def rate(
        self, conversation: str, exchange: Exchange, earlier: Sequence[Exchange], read: Read
    ) -> None:
        """Write the row of a rated exchange, in the place of an earlier one; without a rating, only
        remove that. Raises InputError when it cannot be written, and what ``read`` raises.
        """
        identity = f"{conversation}-{exchange.number}"
        good = exchange.rating == "up"
        try:
            with self._lock:
                self._make_folders()
                row = self._row(identity, exchange, earlier, read) if exchange.rating else None
                for name, added in ((GOOD, good), (NOT_GOOD, not good)):
                    self._replace(self.folder / name, identity, row if added else None)
        except (OSError, UnicodeEncodeError) as error:
            reason = getattr(error, "strerror", None) or "it holds text that is not Unicode"
            raise InputError(f"The rating could not be stored: {reason}.") from error

    def _make_folders(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "articles").mkdir(mode=0o700, exist_ok=True)

    def _row(
        self, identity: str, exchange: Exchange, earlier: Sequence[Exchange], read: Read
    ) -> dict[str, Any]:
        answer = exchange.answer
        good = exchange.rating == "up"
        said = " ".join(claim.text for claim in exchange.claims)
        gold = [self._gold(citation, read) for citation in exchange.citations if good]
        names = list(dict.fromkeys(item["article_id"] for item in gold))
        return {
            "id": identity,
            "question": exchange.question,
            "history": [{"role": t.role, "text": t.text} for t in turns(earlier)] or None,
            "answerable": not exchange.declined if good else None,
            "unanswerable_kind": "visitor" if good and exchange.declined else None,
            "answers": [said] if good and said else [],
            "answer_type": "long",
            "article_id": names[0] if names else None,
            "article_ids": names,
            "evidence": gold,
            "evidence_mode": "all",
            "evidence_kind": "visitor",
            "meta": {
                "kind": "feedback",
                "date": exchange.asked,
                "rating": exchange.rating,
                "note": exchange.note[:NOTE],
                "answered": answer.text if answer else said,
                "cited": [] if good else [asdict(citation) for citation in exchange.citations],
                "confidence": answer.confidence if answer else None,
                "models": dict(answer.models) if answer else {},
            },
        }

    def _gold(self, cited: Citation, read: Read) -> dict[str, Any]:
        article = read(cited.article)
        if not stands(cited, article):
            raise InputError(
                "This answer cites a sentence that its article no longer has; ask again to rate it."
            )
        name = self._copied(article)
        return {"article_id": name, "start": cited.start, "end": cited.end, "text": cited.quote}

    def _copied(self, article: Article) -> str:
        """Return the name of a copy of the article as it is now."""
        hashed = hashlib.sha256(article.text.encode()).hexdigest()
        plain = _PLAIN.fullmatch(article.path) and len(article.path) < 200
        name = hashlib.sha256(article.path.encode()).hexdigest()[:16]
        name = article.path.removesuffix(".txt") if plain else name
        for candidate in (name, f"{name}-{hashed[:8]}"):
            copy = self.folder / "articles" / f"{candidate}.txt"
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                replace_file(copy, article.text)
                return candidate
            if hashlib.sha256(copy.read_bytes()).hexdigest() == hashed:
                return candidate
        raise InputError(f"The copy {copy.name} in {copy.parent} has been edited; remove it.")

    def _replace(self, path: Path, identity: str, row: dict[str, Any] | None) -> None:
        kept = [line.decode("utf-8") for _, line in lines(path)] if path.exists() else []
        others = [line for line in kept if not _is_of(line, identity)]
        if row is None and len(others) == len(kept):
            return
        if row is not None:
            if len(others) >= ROWS:
                raise InputError(f"{path} holds {ROWS:,} ratings; move it away to go on rating.")
            others.append(json.dumps(row, ensure_ascii=True))
        replace_file(path, "".join(f"{line.rstrip()}\n" for line in others))


def _is_of(line: str, identity: str) -> bool:
    try:
        return read_row(line.encode()).get("id") == identity
    except InputError:  # somebody's edit; it is left as it is
        return False

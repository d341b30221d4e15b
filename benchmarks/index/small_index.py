"""A small index made by the real code, and all that it says, for crashes.py and damage.py."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from rag.config import Config
from rag.errors import IndexMissing, RagError
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import HashedEncoder
from rag.text.terms import terms

CONFIG = Config(encoder="hashed", generator="extractive", passage_tokens=24, store="faiss")
TOWNS = ("Lisk", "Maldon", "Orrey", "Pell", "Quill", "Rusk", "Sarn", "Tolm", "Ume", "Vorn")
GONE = "Zzyzxqq"  # a word of the articles that later steps remove
QUESTIONS = ("When does the ferry to Lisk leave?", "Who repaired the bridge in Maldon?", GONE)
Content = dict[str, object]


def write_articles(folder: Path) -> None:
    """Write ten short invented articles."""
    folder.mkdir(parents=True)
    for n, town in enumerate(TOWNS):
        body = "".join(
            f"The {what} of {town} was repaired in {1900 + 7 * n + m} for {n + m} million euros. "
            f"A ferry to {TOWNS[(n + m) % 10]} leaves at {m + 1} every day. "
            for m, what in enumerate(("bridge", "tower", "school", "harbour"))
        )
        name = f"{GONE} said so. " if n % 2 else ""
        (folder / f"{town.lower()}.txt").write_text(f"News of {town}\n\n{body}{name}\n")


def change_articles(folder: Path) -> None:
    """Edit, add, rename and remove."""
    text = (folder / "lisk.txt").read_text()
    (folder / "lisk.txt").write_text(text.replace("tower", "lighthouse"))
    (folder / "new.txt").write_text("A new one\n\nA museum was opened in Lisk. It is small.\n")
    (folder / "orrey.txt").rename(folder / "elsewhere.txt")
    (folder / "maldon.txt").unlink()


def remove_most(folder: Path) -> None:
    """Remove so much that the store is compacted."""
    for town in TOWNS[1:]:
        (folder / f"{town.lower()}.txt").unlink()


def build(base: Path, change: Callable[[Path], None] | None = None) -> None:
    """Make base/articles and base/index; then change the articles, not the index."""
    write_articles(base / "articles")
    sync(base / "articles", base / "index", CONFIG, HashedEncoder())
    if change:
        change(base / "articles")


def copied(template: Path, to: Path) -> Path:
    """Put a fresh copy of a template in place; its articles lie where the template's lie."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(template / "index", to)
    return to


def content(folder: Path) -> Content:
    """Return all that an index says, without its row numbers. Raises what opening raises."""
    encoder = HashedEncoder()
    index = Index.open(folder, CONFIG, encoder)
    try:
        found: Content = {}
        for summary in index.contents():
            found[summary.path] = (summary, index.article(summary.path))
            assert index.sentences(summary.path)
        for question in QUESTIONS:
            keys, scores = index.vectors.search(encoder.encode_texts([question])[0], 1000)
            words, bm25 = index.lexical.search(terms(question), 1000)
            assert len(keys) == len(index.vectors)
            assert len(index.vectors) + index.unembedded == index.lexical.passages
            for name, of, values in (("vectors", keys, scores), ("lexical", words, bm25)):
                stored = index.passages(of.tolist())
                found[f"{name}: {question}"] = sorted(
                    (
                        index.article_at(s.article).path,
                        s.passage.start,
                        s.passage.end,
                        round(float(value), 5),
                        s.vector.tobytes(),
                        s.sentence_vectors.tobytes(),
                    )
                    for s, value in zip(stored, values, strict=True)
                )
        return found
    finally:
        index.close()


def outcome(folder: Path, old: Content | None, new: Content) -> str:
    """Return "old", "new" or (not all is embedded yet) "words", the error's name, or what is
    wrong.
    """
    try:
        now = content(folder)
    except IndexMissing:
        return "old" if old is None else "IndexMissing"
    except RagError as error:
        one_line = "\n" not in str(error) and len(str(error)) < 1000
        return type(error).__name__ if one_line else f"wrong: {error}"
    if now == old:
        return "old"
    if now == new:
        return "new"
    return "words" if _embedded_in_part(now, new) else "wrong: neither the old nor the new state"


def _embedded_in_part(now: Content, new: Content) -> bool:
    """Return whether all is new, but for vectors that are not there yet."""

    def same(name: str) -> bool:
        before, after = now[name], new[name]
        if name.startswith("vectors: ") and isinstance(before, list) and isinstance(after, list):
            return set(before) <= set(after)
        return before == after

    return now.keys() == new.keys() and all(map(same, now))

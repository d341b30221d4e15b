"""Rooms stay small; heavy libraries load late; what documents name is there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "rag"

# In the order of the data. What each may import: the contracts of import-linter in pyproject.toml.
ROOMS = """
    text ingest models index retrieval generation verification answering evaluation server history
    web api cli
""".split()

HEAVY = """
    torch transformers sentence_transformers faiss gradio xllamacpp tantivy sentencex
    huggingface_hub charset_normalizer matplotlib lxml trafilatura pypdf docx feedparser jinja2
    pydantic pydantic_settings watchfiles sklearn scipy
""".split()


def test_rooms_stay_small_and_say_what_they_are() -> None:
    for folder in {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}:
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= 12, f"{folder.name}/ has {len(files)} files"
        body = ast.parse((folder / "__init__.py").read_text(encoding="utf-8")).body
        assert len(body) == 1, f"{folder.name}/__init__.py holds a docstring, nothing else"
        assert isinstance(body[0], ast.Expr)


def test_the_package_shows_its_rooms_in_their_order() -> None:
    told = ast.get_docstring(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert re.findall(r"^(\w+)/ ", told, re.MULTILINE) == ROOMS
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ROOMS)


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = f"import rag, sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


PATH = re.compile(r"(?<![\w./-])(?:rag|tests|benchmarks|docs|\.ci)/[\w./-]*\w")


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")]


@pytest.mark.parametrize("document", sorted(str(p.relative_to(ROOT)) for p in DOCUMENTS))
def test_what_a_document_names_is_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    if document == "CHANGELOG.md":
        text = "## ".join(text.split("\n## ")[:2])  # older releases name what there was
    gone = {name for name in PATH.findall(text) if not (ROOT / name).exists()}
    assert not gone, f"{document} names {sorted(gone)}"

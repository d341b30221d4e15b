"""Imports go one way, down the rooms; heavy libraries load late; what documents name is there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "rag"

# The rooms in the order of the data, and what each may import besides itself and VALUES. A name
# with a point is one file of a room. The contract of import-linter in pyproject.toml says the same
# in layers; this says more.
VALUES = ("types", "errors", "config", "command", "places")
ROOMS = {
    "text": "",
    "ingest": "text",
    "models": "",
    "index": "text ingest models",
    "retrieval": "text models index",
    "generation": "text models",
    "verification": "text models",
    "answering": "text ingest.folder models index retrieval generation verification",
    "__init__": "answering",
    "evaluation": "__init__ text ingest index verification answering",
    "texts": "text",
    "server": "text texts ingest index",
    "history": "text texts evaluation.questions",
    "web": "text texts ingest retrieval answering.suggestions server history",
    "api": "text texts server",
    "app": "server history web api",
}
FREE = {"cli", "__main__"}  # may import everything

HEAVY = (
    "torch", "transformers", "sentence_transformers", "faiss", "gradio", "xllamacpp", "tantivy",
    "sentencex", "huggingface_hub", "charset_normalizer", "matplotlib", "lxml", "trafilatura",
    "pypdf", "docx", "feedparser",
)  # fmt: skip


def modules() -> list[str]:
    """The files of the package: "text.terms", "app"; without the rooms' own, which only explain."""
    paths = (path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py"))
    names = (".".join(path.parts) for path in paths)
    return sorted(name for name in names if not name.endswith(".__init__"))


def imports(module: str) -> set[str]:
    """Return the modules of the package that a module imports, in functions too."""
    known = set(modules())
    found: set[str] = set()
    path = PACKAGE / f"{module.replace('.', '/')}.py"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write `from rag.text.x import`, not `from .x`"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "rag":
                parts = name.split(".")[1:]
                found.add(next(
                    (whole for n in range(len(parts), 0, -1)
                     if (whole := ".".join(parts[:n])) in known), "__init__",
                ))  # fmt: skip
    return found


def test_every_file_has_its_room() -> None:
    rooms = {module.partition(".")[0] for module in modules()}
    missing = rooms - ROOMS.keys() - FREE - set(VALUES)
    assert not missing, f"add {sorted(missing)} to ROOMS in {__file__}, where they run"


@pytest.mark.parametrize("module", modules())
def test_imports_go_one_way(module: str) -> None:
    room = module.partition(".")[0]
    if room in FREE:
        return
    allowed = {room, *VALUES, *ROOMS.get(room, "").split()}
    wrong = {
        name
        for name in imports(module)
        if name.split(".")[0] not in allowed and name not in allowed
    }
    assert not wrong, f"rag/{module.replace('.', '/')}.py imports {sorted(wrong)}"


def test_no_files_import_one_another_in_a_circle() -> None:
    left = {module: imports(module) for module in modules()}
    while ready := [module for module, wanted in left.items() if not wanted & left.keys()]:
        for module in ready:
            del left[module]
    assert not left, f"a circle among {sorted(left)}"


def test_rooms_stay_small_and_say_what_they_are() -> None:
    for folder in {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}:
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= 12, f"{folder.name}/ has {len(files)} files"
        body = ast.parse((folder / "__init__.py").read_text(encoding="utf-8")).body
        assert len(body) == 1, f"{folder.name}/__init__.py holds a docstring, nothing else"
        assert isinstance(body[0], ast.Expr)


def test_the_package_shows_its_rooms_in_their_order() -> None:
    told = ast.get_docstring(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))) or ""
    rooms = [name for name in (*ROOMS, "cli") if (PACKAGE / name).is_dir()]
    assert re.findall(r"^(\w+)/ ", told, re.MULTILINE) == rooms


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = f"import rag, sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


PATH = re.compile(r"(?<![\w./-])(?:rag|tests|benchmarks|docs|\.ci)/[\w./-]*\w")


@pytest.mark.parametrize("document", sorted(str(p.relative_to(ROOT)) for p in (
    *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md"),
)))  # fmt: skip
def test_what_a_document_names_is_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    gone = {name for name in PATH.findall(text) if not (ROOT / name).exists()}
    assert not gone, f"{document} names {sorted(gone)}"

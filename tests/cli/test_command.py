"""Help and messages name the command that was typed, and indexes lie where no folder matters."""

from __future__ import annotations

import ast
import sys
from importlib.util import find_spec
from pathlib import Path

import platformdirs
import pytest

from rag import answer, places
from rag.cli.main import main
from rag.command import command
from rag.config import Config
from rag.errors import ArticleError
from rag.evaluation.run import commit_here
from rag.index.manifest import all_indexes, default_index_dir
from rag.index.sync import sync
from rag.models.encoder import HashedEncoder

PACKAGE = Path(places.__file__).resolve().parent
INDEXES = places.indexes_dir  # as it is, before a fixture replaces it


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As if the package lay in no repository; returns the folder of the user's data."""
    monkeypatch.setattr(places, "__file__", str(tmp_path / "site-packages" / "rag" / "places.py"))
    monkeypatch.setattr(places, "indexes_dir", INDEXES)
    data = tmp_path / "data"
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name, **_: data / name)
    return data


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("/usr/local/bin/footnote", "footnote"),
        (r"footnote.EXE", "footnote"),
        ("/site-packages/rag/__main__.py", "python -m rag"),
        ("/home/ana/footnote.py", "python -m rag"),  # a program of theirs
        ("", "python -m rag"),
    ],
)
def test_the_command_is_the_one_that_was_typed(
    typed: str, named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [typed])
    assert command() == named
    for arguments in (["--help"], ["index", "--help"], ["eval", "compare", "--help"]):
        assert main(arguments) == 0
        helped = capsys.readouterr().out
        assert f"usage: {named} " in helped
        assert ("python -m rag" in helped) is (named == "python -m rag")
    assert main(["search", "Where?", "--index", "none", "--encoder", "hashed"]) == 1
    assert capsys.readouterr().err.endswith(f"Build it with: {named} index ARTICLES\n")


def test_no_message_names_another_command() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name == "command.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        described = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
            if isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said = "" if id(node) in described else node.value
                assert "python -m rag" not in said, f"{path}:{node.lineno}: use command()"


def test_in_the_repository_indexes_lie_in_its_folder_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = PACKAGE.parent
    assert places.repository() == root
    monkeypatch.chdir(root)
    assert INDEXES() == Path("embeddings")
    monkeypatch.chdir(tmp_path)
    assert INDEXES() == root / "embeddings"


def test_where_it_is_installed_they_lie_with_the_users_data(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie = installed / "footnote" / "embeddings"
    found = set()
    for folder in (tmp_path / "one", tmp_path / "two" / "embeddings"):
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        found.add(default_index_dir(tmp_path / "news"))
    (place,) = found
    assert place.parent == lie
    assert commit_here() == "unknown"  # whatever repository there may be around it


def test_an_index_in_the_current_folder_is_taken_as_long_as_there_is_no_other(
    installed: Path, articles: Path, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    usual = default_index_dir(articles)
    assert usual.is_relative_to(installed)
    assert all_indexes() == []
    older = Path("embeddings") / usual.name
    sync(articles, older, config, HashedEncoder())
    assert default_index_dir(articles) == older
    assert all_indexes() == [older]
    assert default_index_dir(tmp_path).is_relative_to(installed)  # other articles
    sync(articles, usual, config, HashedEncoder())
    assert default_index_dir(articles) == usual
    assert all_indexes() == [usual]


def test_help_says_where(
    installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    data = installed.with_name("100% mine")  # argparse fills in what follows a %
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name, **_: data / name)
    for name in ("index", "search", "ask", "serve", "mcp"):
        assert main([name, "--help"]) == 0
        assert f"{data / 'footnote' / 'embeddings'}" in capsys.readouterr().out


def test_without_a_folder_of_articles_that_is_said_before_a_model_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOOTNOTE_MODELS_DIR", str(tmp_path / "none"))
    tools = [["mcp"]] if find_spec("mcp") else []
    for arguments in (["index", "seeds"], ["serve"], *tools):
        assert main(arguments) == 1
        said = capsys.readouterr().err
        assert "seeds does not exist" in said
        assert str(tmp_path) in said
        assert said.count("\n") == 1
    with pytest.raises(ArticleError, match="seeds does not exist"):
        answer("Where?", config=Config(models_dir=tmp_path / "none"))

"""A folder without articles empties its index; one that is missing or unlisted does not."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from queue import Queue

import pytest

from rag.answering.pipeline import Rag
from rag.cli.main import main
from rag.config import Config
from rag.errors import ArticleError, IndexMismatch
from rag.index.index import Index
from rag.index.sync import plan, repair, sync
from rag.ingest.uploads import Manager
from rag.models.encoder import HashedEncoder
from rag.server.background import Updater, watch
from rag.types import NO_ARTICLES, Answer, Changes, EvidenceFound, Scope
from rag.web.articles import Librarian
from rag.web.session import answering, begun

ALL = ("bridge.txt", "café.txt", "ferry.txt", "islands/owls.md")
HANGS = 120  # seconds after which a test that waits for another thread gives up
QUESTION = "What would repairs of the bridge cost?"
ANSWER = "$4 million"


@pytest.fixture(params=["numpy", "faiss"])
def settings(config: Config, request: pytest.FixtureRequest) -> Config:
    return replace(config, store=request.param, decline_below=0.0)


@pytest.fixture
def rag(articles: Path, settings: Config, tmp_path: Path) -> Iterator[Rag]:
    with Rag.for_articles(articles, settings, tmp_path / "index") as opened:
        assert ANSWER in opened.answer(QUESTION).text
        yield opened


def files(articles: Path) -> list[Path]:
    return [path for path in articles.rglob("*") if path.is_file()]


def empty(articles: Path) -> None:
    for path in files(articles):
        path.unlink()


def assert_empty(rag: Rag) -> None:
    """Nothing is answered, on any way; a greeting is returned."""
    assert rag.contents() == ()
    for question in (QUESTION, "What is in here?", "Summarise this", "When was it published?"):
        first, said = rag.stream(question)
        assert first == EvidenceFound((), 0.0)
        assert isinstance(said, Answer)
        assert (said.declined, said.reason, said.text) == (True, NO_ARTICLES, NO_ARTICLES)
        assert said.confidence == 0
    assert not rag.answer("Hello").declined
    found = rag.search(QUESTION)
    assert (found.evidence, found.passages, found.confidence) == ((), (), 0)
    assert rag.behind() == ""
    assert rag.answer(QUESTION, scope=Scope(first="2024-01-01")).text == NO_ARTICLES


def held(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


# -- emptied ----------------------------------------------------------------------------------


@pytest.mark.parametrize("unreadable", [False, True])
def test_a_folder_without_articles_empties_the_index(
    rag: Rag, articles: Path, settings: Config, tmp_path: Path, unreadable: bool
) -> None:
    texts = {path: path.read_bytes() for path in files(articles)}
    empty(articles)
    if unreadable:  # as one file among others: what cannot be read is not there
        for path in texts:
            path.write_bytes(b"")
    skipped = tuple((path, "is empty") for path in ALL) if unreadable else ()
    assert rag.sync(articles) == Changes(removed=ALL, skipped=skipped)
    assert rag.refresh()
    assert_empty(rag)
    assert rag.skipped() == skipped
    assert rag.sync(articles) == Changes(skipped=skipped)
    assert not rag.refresh()
    for gone in (b"Okoye", b"okoy", b"bridge", "Harbour".encode("utf-16-le")):
        if not unreadable or gone != b"bridge":  # the name of a file that is there
            assert gone not in held(tmp_path / "index")
    with Rag.for_articles(articles, settings, tmp_path / "index") as again:
        assert_empty(again)
    for path, text in texts.items():
        path.write_bytes(text)
    assert rag.sync(articles).added == ALL
    assert rag.refresh()
    assert ANSWER in rag.answer(QUESTION).text


def test_a_question_in_progress_goes_on_while_the_folder_is_emptied(
    rag: Rag, articles: Path
) -> None:
    stream = rag.stream(QUESTION)
    next(stream)
    empty(articles)
    rag.sync(articles)
    rag.refresh()
    *_, answer = stream
    assert ANSWER in getattr(answer, "text", "")


def test_the_chat_says_so(rag: Rag, articles: Path) -> None:
    empty(articles)
    rag.sync(articles)
    *_, shown = answering(rag, (), QUESTION, threading.Event())
    assert shown.declined
    assert shown.answer is not None
    assert shown.answer.notes == (NO_ARTICLES,)
    assert "There are no articles yet" in begun(rag)[0]


def test_other_settings_and_an_emptied_folder(
    rag: Rag, articles: Path, settings: Config, tmp_path: Path
) -> None:
    empty(articles)
    other = replace(settings, passage_tokens=16)
    changes = sync(articles, tmp_path / "index", other, HashedEncoder())
    assert changes.left() == 0
    with Rag.open(tmp_path / "index", other) as opened:
        assert_empty(opened)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "none": lambda folder: None,
    "vectors": lambda folder: (folder / "vectors-1.bin").unlink(),
    "a row": lambda folder: (folder / "store.sqlite").write_bytes(
        (folder / "store.sqlite").read_bytes().replace(b"Snowy owls were", b"Snowy owls wear")
    ),
    "a page": lambda folder: _overwrite(folder / "store.sqlite", 2),
}


def _overwrite(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xff" * 4096)


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("mend", [sync, repair])
def test_a_damaged_index_of_an_emptied_folder_is_emptied(
    articles: Path,
    config: Config,
    tmp_path: Path,
    damage: str,
    mend: Callable[[Path, Path, Config, HashedEncoder], Changes],
) -> None:
    folder = tmp_path / "index"
    sync(articles, folder, config, HashedEncoder())
    empty(articles)
    DAMAGE[damage](folder)
    changes = mend(articles, folder, config, HashedEncoder())
    assert changes.left() == 0
    assert bool(changes.rebuilt) == (damage != "none")
    with Rag.open(folder, config) as opened:
        assert_empty(opened)
    assert b"Okoye" not in held(folder)


def test_what_is_removed_last_in_the_page_is_gone(rag: Rag, articles: Path) -> None:
    updater = Updater(lambda progress: rag.sync(articles, progress, vectors=False), rag.fill)
    librarian = Librarian(rag, Manager(articles, rag.config, own=True), updater)
    for path in ALL:
        *_, said = librarian.remove({"remove": path})
        assert "Removed" in said
    assert_empty(rag)
    assert "data-pick" not in librarian.listed()


def test_a_watched_folder_is_emptied_and_filled(
    rag: Rag, articles: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = {path: path.read_bytes() for path in files(articles)}
    said: Queue[Changes] = Queue()
    stop, missed = threading.Event(), threading.Event()

    def update() -> Changes:
        try:
            return rag.sync(articles)
        except ArticleError:
            missed.set()
            raise

    given = (articles, update, said.put, stop, 0.5)
    watcher = threading.Thread(target=watch, args=given, daemon=True)
    watcher.start()
    empty(articles)
    assert said.get(timeout=HANGS).removed == ALL
    away = articles.rename(articles.with_name("away"))  # as a disk that is not there
    assert missed.wait(HANGS)
    away.rename(articles)
    for path, text in texts.items():
        path.write_bytes(text)
    done = said.get(timeout=HANGS)
    stop.set()
    watcher.join(HANGS)
    assert (done.removed, done.added) == ((), ALL)
    assert "does not exist" in caplog.text


# -- missing ----------------------------------------------------------------------------------


def test_a_folder_that_is_missing_leaves_the_index_as_it_was(
    rag: Rag, articles: Path, settings: Config, tmp_path: Path
) -> None:
    before = held(tmp_path / "index")
    away = articles.rename(tmp_path / "away")
    for run in (sync, plan):
        with pytest.raises(ArticleError, match="does not exist"):
            run(articles, tmp_path / "index", settings, HashedEncoder())
    articles.write_text("now it is a file")
    with pytest.raises(ArticleError, match="is not a folder"):
        sync(articles, tmp_path / "index", settings, HashedEncoder())
    assert repair(articles, tmp_path / "index", settings, HashedEncoder()) == Changes(unchanged=4)
    assert held(tmp_path / "index") == before
    assert not rag.refresh()
    assert ANSWER in rag.answer(QUESTION).text
    assert away.is_dir()


def test_a_folder_that_cannot_be_listed_leaves_the_index_as_it_was(
    rag: Rag, articles: Path, settings: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(articles)

    def refused(path: str) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refused)
    with pytest.raises(ArticleError, match="Cannot list"):
        sync(articles, tmp_path / "index", settings, HashedEncoder())
    assert repair(articles, tmp_path / "index", settings, HashedEncoder()) == Changes(unchanged=4)
    monkeypatch.undo()
    assert not rag.refresh()
    assert ANSWER in rag.answer(QUESTION).text


def test_another_folder_without_articles_does_not_empty_the_index(
    rag: Rag, settings: Config, tmp_path: Path
) -> None:
    (tmp_path / "mistyped").mkdir()
    with pytest.raises(IndexMismatch, match="belongs to the articles in"):
        sync(tmp_path / "mistyped", tmp_path / "index", settings, HashedEncoder())
    assert not rag.refresh()
    with closing(Index.open(tmp_path / "index", settings, HashedEncoder())) as index:
        assert len(index.contents()) == 4


# -- on the command line ----------------------------------------------------------------------


def test_the_commands_say_that_there_are_none(
    articles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--index", "index", "--encoder", "hashed"])
        return code, *capsys.readouterr()

    ask = ("ask", QUESTION, "--generator", "extractive")
    assert run("index", "articles")[0] == 0
    empty(articles)
    code, out, _ = run("index", "articles", "--dry-run")
    assert code == 0
    assert "Articles: 4 removed, 0 unchanged." in out
    assert NO_ARTICLES in out
    code, out, _ = run("index", "articles")
    assert (code, NO_ARTICLES in out, "4 removed" in out) == (0, True, True)
    code, out, err = run("search", QUESTION, "--json")
    assert (code, err) == (0, f"{NO_ARTICLES}\n")
    assert json.loads(out)["evidence"] == []
    code, out, err = run(*ask)
    assert (code, out, err) == (0, f"{NO_ARTICLES}\n", "")
    code, out, _ = run(*ask, "--json")
    row = json.loads(out)
    assert (code, row["declined"], row["answer"], row["claims"]) == (0, True, NO_ARTICLES, [])
    for again in ((), ("--repair",)):
        code, out, _ = run("index", "articles", *again)
        assert (code, out.splitlines()[0]) == (0, "Articles: 0 unchanged.")
    shutil.rmtree(articles)
    code, out, err = run("index", "articles")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "does not exist" in err

"""A chat follows the folder: what was changed is found by the next question, not by this one."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import watchfiles
from scripted import ScriptedGenerator

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.errors import ArticleError
from rag.server import background
from rag.server.background import watch, watching
from rag.types import Answer, Changes, EvidenceFound
from rag.web.session import answering

QUESTION = "How much would the repairs of the bridge cost?"
HANGS = 120  # seconds after which a test that waits for another thread gives up
OLD, NEW = "$4 million", "$7 million"


@pytest.fixture
def rag(articles: Path, config: Config, tmp_path: Path) -> Iterator[Rag]:
    drafts = [f"The repairs would cost about {NEW}. [1]"] * 9
    generator = ScriptedGenerator(*drafts)
    with Rag.for_articles(articles, config, tmp_path / "index", generator=generator) as opened:
        yield opened


def edit(articles: Path) -> None:
    path = articles / "bridge.txt"
    path.write_text(path.read_text().replace(OLD, NEW))


def first(rag: Rag) -> str:
    return next(e.quote for e in rag.search(QUESTION).evidence if "million" in e.quote)


def test_refresh_shows_the_new_text(rag: Rag, articles: Path) -> None:
    assert not rag.refresh()
    edit(articles)
    assert rag.sync(articles).edited == ("bridge.txt",)
    assert OLD in first(rag)
    assert rag.refresh()
    assert NEW in first(rag)
    assert not rag.refresh()


def test_deleted_text_is_in_no_file_though_the_chat_is_open(
    rag: Rag, articles: Path, tmp_path: Path
) -> None:
    def left() -> bytes:
        return b"".join(p.read_bytes() for p in (tmp_path / "index").rglob("*") if p.is_file())

    for word, name in ((b"Okoye", "bridge.txt"), (b"Reyes", "ferry.txt")):
        question = rag.stream(QUESTION)
        next(question)
        (articles / name).unlink()
        rag.sync(articles)
        assert rag.refresh()
        assert not rag.refresh()
        assert word in left()  # while a question needs it
        list(question)
        del question
        assert not rag.refresh()
        assert word not in left()
        assert rag.search(QUESTION).evidence
        assert not rag.refresh()


def test_a_question_in_progress_keeps_its_state(rag: Rag, articles: Path) -> None:
    stream = rag.stream(QUESTION)
    found = next(stream)
    assert isinstance(found, EvidenceFound)
    edit(articles)
    rag.sync(articles)
    assert rag.refresh()
    *_, answer = stream
    assert isinstance(answer, Answer)
    assert NEW not in str(answer.to_dict())  # its draft says so, but its evidence does not
    assert all(OLD in claim.text for claim in answer.claims if "million" in claim.text)
    *_, answer = rag.stream(QUESTION)
    assert isinstance(answer, Answer)
    assert NEW in answer.text
    assert OLD not in str(answer.to_dict())


def test_the_chat_asks_for_the_newest_state(rag: Rag, articles: Path) -> None:
    edit(articles)
    rag.sync(articles)
    *_, shown = answering(rag, (), QUESTION, threading.Event())
    assert shown.state == "answered"
    assert any(NEW in claim.text for claim in shown.claims)


def test_the_chat_goes_on_when_the_index_is_gone(
    rag: Rag, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(tmp_path / "index")
    *_, shown = answering(rag, (), QUESTION, threading.Event())
    assert shown.evidence
    assert "The older state of the index is used: There is no index in" in caplog.text


def test_the_folder_is_watched_while_questions_are_answered(rag: Rag, articles: Path) -> None:
    said: Queue[str] = Queue()
    with watching(articles, lambda: rag.sync(articles), said.put, still=0.05):
        edit(articles)
        assert said.get(timeout=HANGS) == "Articles: 1 edited, 3 unchanged."
        assert rag.refresh()
        assert NEW in first(rag)
        (articles / "ferry.txt").unlink()
        assert said.get(timeout=HANGS) == "Articles: 1 removed, 3 unchanged."


def follow(articles: Path, update: Callable[[], Changes], still: float) -> threading.Event:
    """Watch until what is returned is set."""
    stop = threading.Event()
    given = (articles, update, lambda _changes: None, stop, still)
    threading.Thread(target=watch, args=given, daemon=True).start()
    return stop


def test_what_is_being_written_waits(articles: Path) -> None:
    read: Queue[str] = Queue()
    new = articles / "new.txt"

    def update() -> Changes:
        read.put(new.read_text() if new.exists() else "")
        return Changes()

    stop = follow(articles, update, still=2.0)
    assert read.get(timeout=HANGS) == ""
    for n in range(30):  # each sooner after the last than the folder has to be still
        with new.open("a") as file:
            file.write(f"{n} ")
        stop.wait(0.05)
    assert read.get(timeout=HANGS).endswith(" 29 ")
    stop.set()


@pytest.mark.parametrize("polling", ["", "true"])
def test_a_folder_that_goes_and_comes_does_not_end_the_watch(
    articles: Path,
    polling: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", polling)
    updates: Queue[bool] = Queue()

    def update() -> Changes:
        updates.put(articles.exists())
        if not articles.exists():
            raise ArticleError("The folder is gone.")
        return Changes()

    def until(there: bool) -> None:
        while updates.get(timeout=HANGS) is not there:
            pass

    stop = follow(articles, update, still=0.05)
    until(there=True)
    away = articles.rename(articles.with_name("away"))
    until(there=False)
    away.rename(articles)
    until(there=True)
    shutil.rmtree(articles)
    until(there=False)
    articles.mkdir()
    until(there=True)
    (articles / "new.txt").write_text("One.")
    until(there=True)
    stop.set()
    assert set(caplog.messages) == {"The index stays as it was: The folder is gone."}


def test_where_the_system_watches_no_more_the_folder_is_looked_at(
    articles: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = watchfiles.watch

    def limited(*paths: Path, force_polling: bool | None, **settings: Any) -> Any:
        if not force_polling:
            raise OSError("OS file watch limit reached.")
        return real(*paths, force_polling=force_polling, **settings)

    monkeypatch.setattr(watchfiles, "watch", limited)
    updates: Queue[bool] = Queue()

    def update() -> Changes:
        updates.put((articles / "new.txt").exists())
        return Changes()

    stop = follow(articles, update, still=0.05)
    assert updates.get(timeout=HANGS) is False
    (articles / "new.txt").write_text("One.")
    while not updates.get(timeout=HANGS):
        pass
    stop.set()
    assert [message.partition(":")[2] for message in caplog.messages] == [
        " OS file watch limit reached."
    ]


@pytest.mark.parametrize(
    ("name", "concerns"),
    [("a.txt", True), ("gone", True), (".a.txt", False), ("a.log", False), ("folder.d", True)],
)
def test_hidden_files_and_other_kinds_are_none_of_our_business(
    tmp_path: Path, name: str, *, concerns: bool
) -> None:
    path = tmp_path / name
    if name == "folder.d":
        path.mkdir()
    elif name != "gone":
        path.write_text("x")
    assert background._concerns(path) is concerns

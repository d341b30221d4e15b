"""A chat follows the folder: what was changed is found by the next question, not by this one."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import pytest
from scripted import ScriptedGenerator

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.errors import ArticleError
from rag.server.background import look, watch, watching
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
    with watching(articles, lambda: rag.sync(articles), said.put, every=0.02):
        edit(articles)
        assert said.get(timeout=HANGS) == "Articles: 1 edited, 3 unchanged."
        assert rag.refresh()
        assert NEW in first(rag)
        (articles / "ferry.txt").unlink()
        assert said.get(timeout=HANGS) == "Articles: 1 removed, 3 unchanged."


def test_what_is_being_written_waits_and_an_error_does_not_end_the_watch(
    articles: Path, caplog: pytest.LogCaptureFixture
) -> None:
    steps: list[Callable[[], object]] = [
        lambda: None,  # a first look, and a second, which sees that it is still
        lambda: None,
        lambda: (articles / "new.txt").write_text("One."),
        lambda: (articles / "new.txt").write_text("One. Two."),
        lambda: None,
        lambda: None,
        lambda: shutil.rmtree(articles),
        lambda: None,
        lambda: None,
    ]
    updates: list[int] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if not steps:
                return True
            steps.pop(0)()
            return False

    def update() -> Changes:
        updates.append(len(steps))
        if not articles.exists():
            raise ArticleError("The folder is gone.")
        return Changes(unchanged=len(updates))

    watch(articles, update, lambda _changes: pytest.fail("nothing was changed"), Stop())
    assert updates == [7, 4, 1]
    assert caplog.messages == ["The index stays as it was: The folder is gone."]


def test_a_time_set_back_is_seen(articles: Path) -> None:
    before = look(articles)
    path = articles / "ferry.txt"
    status, text = path.stat(), path.read_text()
    path.write_text(text.replace("nine", "five"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert look(articles) != before

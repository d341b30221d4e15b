"""Conversations that are kept: stored, private, bounded, and found again over changed articles."""

from __future__ import annotations

import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fake_rag import HOSTILE, FakeRag

from rag.errors import InputError
from rag.history.conversation import Exchange
from rag.history.feedback import Feedback
from rag.history.rows import (
    QUESTION_TITLE_CHARACTERS,
    Conversation,
    Header,
    read_conversation,
    to_json,
)
from rag.history.storage import (
    CONVERSATIONS,
    MOST_BYTES,
    Store,
    is_visitor,
    new_id,
    new_visitor,
    of_user,
    user_in,
)
from rag.types import Answer, Citation, Claim, Copy, Evidence
from rag.web.answer_html import rating
from rag.web.history import Keeping, kept_list
from rag.web.session import answering, opened

VISITOR = new_visitor()
DATA = Path(__file__).parents[1] / "data/conversation.json"  # written before pydantic read it


def asked(*questions: str, rag: FakeRag | None = None) -> tuple[Exchange, ...]:
    exchanges: tuple[Exchange, ...] = ()
    for question in questions:
        steps = answering(rag or FakeRag(), exchanges, question, threading.Event())
        exchanges = (*exchanges, list(steps)[-1])
    return exchanges


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "conversations")


@pytest.fixture
def keeping(store: Store, tmp_path: Path) -> Keeping:
    return Keeping(FakeRag(), store, Feedback(tmp_path / "ratings"))


def files(store: Store) -> list[Path]:
    return sorted(store.folder.rglob("*.json"))


def same(one: Exchange, other: Exchange) -> bool:
    return replace(one, contexts={}).__repr__() == replace(other, contexts={}).__repr__()


def test_a_conversation_comes_back_as_it_was(store: Store) -> None:
    exchanges = asked("When?", "Who landed on the moon?", "Is it broken?", "What does it price?")
    name = store.put(VISITOR, new_id(), exchanges)
    kept = store.get(VISITOR, name)
    assert kept is not None
    assert kept.header.title == "When?"
    assert kept.header.questions == 4
    assert all(map(same, kept.exchanges, exchanges))
    assert [exchange.state for exchange in kept.exchanges] == [
        "answered",
        "answered",
        "failed",
        "answered",
    ]


def test_text_that_is_not_unicode_is_kept_too(store: Store) -> None:
    name = store.put(VISITOR, new_id(), [Exchange(1, "half \ud83d of a pair", "stopped")])
    kept = store.get(VISITOR, name)
    assert kept is not None
    assert kept.exchanges[0].question == "half \ud83d of a pair"


def test_an_answer_that_was_cut_off_is_kept_as_stopped(store: Store) -> None:
    steps = answering(FakeRag(), (), "When?", threading.Event())
    working = next(step for step in steps if step.claims)
    name = store.put(VISITOR, new_id(), [working])
    kept = store.get(VISITOR, name)
    assert kept is not None
    assert kept.exchanges[0].state == "stopped"
    assert kept.exchanges[0].claims == working.claims


def test_a_conversation_is_private_to_its_visitor(store: Store) -> None:
    name = store.put(VISITOR, new_id(), asked("When?"))
    other = new_visitor()
    assert store.get(other, name) is None
    assert store.listed(other) == ()
    store.delete(other, name)
    with pytest.raises(InputError):
        store.rename(other, name, "mine")
    assert [header.id for header in store.listed(VISITOR)] == [name]
    # The visitor's secret cannot be read off the disk, and only the user may read what is there.
    [path] = files(store)
    assert VISITOR not in str(path)
    assert VISITOR not in path.read_text("utf-8")
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["", ".", "../../etc/passwd", "a" * 17, "a/b" * 5 + "a", "é" * 16])
def test_names_from_the_browser_are_not_paths(store: Store, name: str) -> None:
    assert store.put(VISITOR, name, asked("When?")) == name
    assert store.get(VISITOR, name) is None
    assert store.put(name, new_id(), asked("When?"))
    assert not is_visitor(name)
    assert not store.folder.exists()


def test_users_have_conversations_of_their_own(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.put(VISITOR, new_id(), asked("Of the browser?"))
    monkeypatch.setattr("rag.history.storage.VISITORS", 1)  # they do not count as browsers
    users = ("ana", "Ana", "", "ana ", "é", "e\u0301", "../x", "\udcff", "a" * 500, VISITOR)
    names = {user: store.put(of_user(user), new_id(), asked(f"{user!a}?")) for user in users}
    for user, name in names.items():
        [header] = store.listed(of_user(user))
        assert (header.id, header.title[:9]) == (name, f"{user!a}?"[:9])
        assert not is_visitor(of_user(user))  # which a browser could send
        assert user_in(of_user(user)) == user
        assert store.get(of_user("ana"), name) is None or user == "ana"
    # What was kept before there were passwords is as it was.
    assert [header.id for header in store.listed(VISITOR)] == [before]
    assert user_in(VISITOR) is None
    assert all(path.parent.parent == store.folder for path in files(store))


def test_the_list_says_whose_it_is(keeping: Keeping) -> None:
    pane = keeping.act(of_user("<b>ana"), "", (), {"act": "list"}).pane or ""
    assert 'for <b dir="auto">&lt;b&gt;ana</b> only, in every browser' in pane
    assert "before there were passwords" in pane
    pane = keeping.act(VISITOR, "", (), {"act": "list"}).pane or ""
    assert "for this browser only" in pane
    assert "before there were passwords" not in pane


def test_two_tabs_do_not_overwrite_each_other(store: Store) -> None:
    begun = asked("When?")
    name = store.put(VISITOR, new_id(), begun)
    one, two = (*begun, *asked("One?")), (*begun, *asked("Two?"))
    assert store.put(VISITOR, name, one) == name
    forked = store.put(VISITOR, name, two)
    assert forked != name
    # An answer that was given up reports late: the newer conversation stays.
    assert store.put(VISITOR, name, begun) == name
    questions = {
        header.id: [e.question for e in kept.exchanges]
        for header in store.listed(VISITOR)
        if (kept := store.get(VISITOR, header.id))
    }
    assert questions == {name: ["When?", "One?"], forked: ["When?", "Two?"]}


def test_the_number_of_conversations_is_bounded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.history.storage.CONVERSATIONS", 3)
    names = []
    for second in range(5):
        names.append(store.put(VISITOR, new_id(), [Exchange(1, "When?", "stopped")]))
        path = next(path for path in files(store) if path.stem == names[-1])
        os.utime(path, (second, second))
    assert {header.id for header in store.listed(VISITOR)} == set(names[2:])
    monkeypatch.setattr("rag.history.storage.VISITORS", 1)
    with pytest.raises(InputError, match="1 visitors"):
        store.put(new_visitor(), new_id(), [Exchange(1, "When?", "stopped")])
    assert CONVERSATIONS == 200


def test_a_conversation_that_is_too_long_is_not_kept(store: Store) -> None:
    name = store.put(VISITOR, new_id(), [Exchange(1, "Q?", "stopped")])
    with pytest.raises(InputError, match="too long"):
        store.put(VISITOR, name, [Exchange(1, "Q?", "failed", error="x" * MOST_BYTES)])
    assert store.get(VISITOR, name) is not None  # what was kept before is still there
    assert [path.name for path in store.folder.rglob("*.part")] == []


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 1}',
        b'{"version": 99, "exchanges": []}',
        b"[" * 100_000,
        b" " * (MOST_BYTES + 1),
    ],
)
def test_a_damaged_file_is_left_out_with_a_line_in_the_log(
    store: Store, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    whole = store.put(VISITOR, new_id(), asked("When?"))
    name = store.put(VISITOR, new_id(), asked("Where?"))
    path = next(path for path in files(store) if path.stem == name)
    path.write_bytes(damage)
    assert store.get(VISITOR, name) is None
    assert [header.id for header in store.listed(VISITOR)] == [whole]
    assert f"{path} is left out" in caplog.text


@pytest.mark.parametrize("field", ["question", "state", "claims", "citations", "answer", "rating"])
@pytest.mark.parametrize("value", [7, "x", [1], [{"number": "1"}], {"text": 1}, {}])
def test_a_field_of_the_wrong_kind_is_damage(field: str, value: object) -> None:
    text = to_json(Conversation(store_header(), asked("When?")))
    row = json.loads(text)
    row["exchanges"][0][field] = value
    if field == "question" and isinstance(value, str):
        return
    with pytest.raises(InputError, match=rf"^exchanges\.0\.{field}\b"):
        read_conversation(json.dumps(row), "x")


@pytest.mark.parametrize(
    ("field", "value"),
    [("number", "1"), ("number", 1.5), ("number", True), ("support", "0.5"), ("quote", None)],
)
def test_a_value_of_another_kind_is_not_made_to_fit(field: str, value: object) -> None:
    row = json.loads(to_json(Conversation(store_header(), asked("When?"))))
    row["exchanges"][0]["citations"][1][field] = value
    with pytest.raises(InputError, match=rf"^exchanges\.0\.citations\.1\.{field}: "):
        read_conversation(json.dumps(row), "x")


@pytest.mark.parametrize("question", ["Is the price high?", r"half \ud83d of a pair"])
def test_every_value_comes_back_as_it_was(question: str) -> None:
    text = DATA.read_text("utf-8").replace("Is the price high?", question)
    assert question in text
    conversation = read_conversation(text, "x" * 16)
    assert conversation.header.id == "x" * 16  # the file's name, not what stands in it
    assert conversation.exchanges[2].question == json.loads(f'"{question}"')
    again = read_conversation(to_json(conversation), "x" * 16)
    assert again.header == conversation.header
    assert all(map(same, again.exchanges, conversation.exchanges))


def test_a_file_of_the_first_version_opens_with_all_its_values() -> None:
    conversation = read_conversation(DATA.read_text("utf-8"), "AbCdEf_hIjKl-n0p")
    assert conversation.header == Header(
        "AbCdEf_hIjKl-n0p",
        "When?",
        "2024-05-03T10:00:00.123+00:00",
        "2024-05-03T10:05:00.456+00:00",
        4,
    )
    answered, refused, stopped, failed = conversation.exchanges
    copy = Copy("coast/ferries.txt", "Ferries of the coast", None, 40, 58)
    title, url = "The morning ferry to Hvar", "https://example.org/ferry"
    quote, moment = "The ferry leaves Split at seven.", (61, 94)
    cited = Citation(1, "ferry.txt", title, "2024-06-03", *moment, quote, 0.875, (copy,), 2, url)
    found = Evidence("ferry.txt", title, "2024-06-03", *moment, quote, 0.1 + 0.2, (copy,), 2, url)
    other = Evidence("prices.txt", "Prices", None, 10, 32, "Children travel free.", -1.5)
    assert answered.citations[0] == cited
    assert answered.evidence == (found, other)
    assert answered.claims == (
        Claim("The ferry leaves at seven.", (1,), "supported", 0.875, "cited"),
        Claim("Children travel free.", (2,), "quoted", 1.0),
    )
    assert answered.answer == Answer(
        "When?",
        answered.claims,
        answered.citations,
        answered.evidence,
        declined=False,
        reason=None,
        confidence=0.93,
        notes=("The articles give two prices.",),
        timings_ms={"retrieve": 12.25, "total": 100.0},
        models={"generator": "extractive", "encoder": "bge-small"},
    )
    assert (answered.rating, answered.note) == ("down", "too short: é \u2028 \U0001f600")
    assert (answered.asked, answered.number) == ("2024-05-03", 1)
    assert refused.declined
    assert refused.answer is not None
    assert refused.answer.reason == "Nothing is said about the moon."
    assert (stopped.state, stopped.question) == ("stopped", "Is the price high?")
    assert (failed.state, failed.error) == ("failed", "The model file is damaged.")


def store_header() -> Header:
    return Header("x", "Title", "2024-05-03T10:00:00+00:00", "2024-05-03T10:00:00+00:00", 1)


def test_renaming_and_deleting(keeping: Keeping, store: Store) -> None:
    long = "Why? " * 100
    name = store.put(VISITOR, new_id(), asked(long))
    assert len(store.listed(VISITOR)[0].title) <= QUESTION_TITLE_CHARACTERS
    done = keeping.act(
        VISITOR, name, (), {"act": "rename", "conversation": name, "title": " The\nferry "}
    )
    assert store.listed(VISITOR)[0].title == "The ferry"
    assert "Renamed." in (done.pane or "")
    done = keeping.act(VISITOR, name, (), {"act": "rename", "conversation": name, "title": " "})
    assert "A title needs at least one letter." in (done.pane or "")
    store.put(VISITOR, name, (*asked(long), *asked("And?")))
    assert store.listed(VISITOR)[0].title == "The ferry"  # the next question keeps it
    # Another conversation is deleted: the one on the page stays. This one: the page is empty.
    other = store.put(VISITOR, new_id(), asked("Other?"))
    done = keeping.act(VISITOR, name, (), {"act": "delete", "conversation": other})
    assert done.exchanges is None
    done = keeping.act(VISITOR, name, (), {"act": "delete", "conversation": name})
    assert (done.exchanges, done.identity) == ((), "")
    assert store.listed(VISITOR) == ()
    assert "None yet" in (done.pane or "")


def test_a_failing_disk_is_said_and_the_chat_goes_on(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rag.history.storage.replace_file", full)
    name = new_id()
    done = keeping.keep(VISITOR, name, asked("When?"))
    assert done.identity == name
    assert "No space left on device" in (done.notice or "")


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        [],
        "list",
        {},
        {"act": 1},
        {"act": "rate"},
        {"act": "rate", "exchange": "9"},
        {"act": "rate", "exchange": "1", "rating": "best"},
        {"act": "drop table"},
    ],
)
def test_clicks_that_mean_nothing_do_nothing(keeping: Keeping, wanted: object) -> None:
    done = keeping.act(VISITOR, new_id(), asked("When?"), wanted)
    assert (done.exchanges, done.pane, done.notice) == (None, None, None)


# -- coming back to articles that have changed ------------------------------------------------


def reopened_over(keeping: Keeping, store: Store, edit: tuple[str, str]) -> Exchange:
    name = store.put(VISITOR, new_id(), asked("When?"))
    rag = keeping.rag
    assert isinstance(rag, FakeRag)
    rag.articles = [replace(a, text=a.text.replace(*edit)) for a in rag.articles]
    [exchange] = keeping.reopen(VISITOR, name)
    return exchange


def test_unchanged_articles_give_the_same_places(keeping: Keeping, store: Store) -> None:
    exchange = reopened_over(keeping, store, ("not in there", ""))
    assert not exchange.changed
    assert exchange.contexts
    assert exchange.citations == asked("When?")[0].citations


def test_a_sentence_that_has_moved_is_found_again(keeping: Keeping, store: Store) -> None:
    exchange = reopened_over(
        keeping, store, ("Paragraph 0 tells", "A new paragraph. Paragraph 0 tells")
    )
    assert not exchange.changed
    shift = len("A new paragraph. ")
    before = asked("When?")[0].citations
    # The paragraph stands twice in this article: the first one counts, being changed.
    assert [c.start - b.start for c, b in zip(exchange.citations, before, strict=True)] == [
        shift,
        shift,
        shift,
    ]
    cited = exchange.citations[1]
    wanted = {"article": cited.article, "exchange": "1", "start": cited.start, "end": cited.end}
    assert f'<mark class="current" data-number="2">{cited.quote}' in opened(
        keeping.rag, (exchange,), wanted
    )


def test_an_edited_sentence_is_said_to_have_changed(keeping: Keeping, store: Store) -> None:
    from rag.web.answer_html import conversation

    exchange = reopened_over(keeping, store, ("nine euros", "ten euros"))
    [place] = exchange.changed
    assert place[0] == "ferry.txt"
    assert conversation([exchange]).count("The article has changed") == 1


def test_a_deleted_article_is_said_to_have_changed(keeping: Keeping, store: Store) -> None:
    name = store.put(VISITOR, new_id(), asked("When?"))
    rag = keeping.rag
    assert isinstance(rag, FakeRag)
    rag.articles = rag.articles[1:]
    [exchange] = keeping.reopen(VISITOR, name)
    assert {place[0] for place in exchange.changed} == {"ferry.txt"}
    assert keeping.reopen(VISITOR, new_id()) == ()


# -- what is shown ----------------------------------------------------------------------------


def test_hostile_titles_stay_text(store: Store) -> None:
    name = store.put(VISITOR, new_id(), asked(HOSTILE))
    markup = kept_list(store.listed(VISITOR), name)
    assert "<script" not in markup
    assert "<img" not in markup
    assert "\"'><svg" not in markup
    assert "on the page now" in markup


def test_only_finished_answers_can_be_rated() -> None:
    answered, refused, failed = asked("When?", "Moon or the moon?", "Is it broken?")
    assert 'data-rating="up" aria-pressed="false"' in rating(answered)
    assert rating(refused)
    assert rating(failed) == ""
    assert rating(replace(answered, state="stopped")) == ""
    noted = rating(replace(answered, rating="down", note='"><b>'))
    assert 'data-rating="down" aria-pressed="true"' in noted
    assert 'value="&quot;&gt;&lt;b&gt;"' in noted

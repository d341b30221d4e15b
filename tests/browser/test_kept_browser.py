"""Kept conversations and ratings in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import BROWSER, Kept, Tab, in_view, keeping_server, visit
from fake_rag import ARTICLES, HOSTILE
from playwright.sync_api import Browser, expect
from served import wait_until

from rag import texts
from rag.history.visitors import COOKIE

pytestmark = BROWSER


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with keeping_server(tmp_path_factory.mktemp("kept"), ARTICLES) as kept:
        yield kept


@pytest.fixture
def tab(server: Kept, browser: Browser) -> Iterator[Tab]:
    with visit(browser, server.url) as opened:
        yield opened


def conversations(tab: Tab) -> list[str]:
    """Open the list and return its titles."""
    tab.page.get_by_role("button", name="History", exact=True).click()
    expect(tab.page.get_by_role("heading", name="Your conversations")).to_be_visible()
    return tab.page.locator(".conversations .title").all_inner_texts()


def test_a_reload_keeps_the_conversation_and_its_sources(server: Kept, tab: Tab) -> None:
    page = tab.page
    tab.ask("When does the ferry leave?")
    page.reload()
    expect(page.locator("#exchange-1 .claim")).to_have_count(2)
    page.locator(".cite").nth(1).click()
    expect(page.locator("mark.current")).to_have_text(
        "Tickets cost nine euros in summer and six in winter."
    )
    assert in_view(page, "mark.current")
    tab.ask("And on Sunday?", 2)  # the conversation goes on, and the engine knows it
    assert server.rag.calls[-1][1][0].text == "When does the ferry leave?"
    assert conversations(tab) == ["When does the ferry leave?"]
    # The secret is out of reach for scripts.
    [cookie] = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (COOKIE, True, "Lax")
    assert page.evaluate("document.cookie") == ""


def test_a_reload_during_an_answer_keeps_what_was_verified(server: Kept, tab: Tab) -> None:
    page = tab.page
    page.locator("#question textarea").fill("A slow question")
    page.locator("#question textarea").press("Enter")
    expect(page.locator(".claim")).to_have_count(1)
    page.reload()
    expect(page.locator("#exchange-1 .claim")).to_have_count(1)
    expect(page.locator("p.stopped")).to_contain_text("Stopped.")
    wait_until(lambda: server.rag.running == 0)
    tab.ask("And now?", 2)
    tab.complaints.clear()  # Gradio's script may say that the reload broke its stream off


def test_another_visitor_sees_none_of_it(server: Kept, browser: Browser, tab: Tab) -> None:
    tab.ask("When is the secret ferry?")
    conversations(tab)
    link = tab.page.locator("a.tool").first.get_attribute("href")
    with visit(browser, server.url) as other:
        assert conversations(other) == []
        response = other.page.request.get(f"{server.url}/{link}")
        assert response.status == 404
        assert "ferry" not in response.text()
    assert tab.page.request.get(f"{server.url}/{link}").status == 200


def test_open_rename_export_and_delete(tab: Tab) -> None:
    page = tab.page
    tab.ask("When?")
    page.get_by_role("button", name="New conversation").click()
    tab.ask("What does it cost?")
    assert conversations(tab) == ["What does it cost?", "When?"]
    # Another conversation is opened, and given a name.
    page.locator(".conversations .entry").nth(1).click()
    expect(page.locator("#exchange-1 .question")).to_have_text("When?")
    page.get_by_role("button", name="Rename: When?").click()
    expect(page.get_by_role("textbox", name="New title")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Hours of the ferry")
    page.keyboard.press("Enter")
    expect(page.locator(".conversations .title").nth(1)).to_have_text("Hours of the ferry")
    # Its files.
    for name in ("Markdown", "JSON"):
        with page.expect_download() as coming:
            page.get_by_role("link", name=f"Export as {name}: Hours of the ferry").click()
        text = Path(coming.value.path()).read_text("utf-8")
        assert "Tickets cost nine euros in summer and six in winter." in text
        if name == "JSON":
            assert json.loads(text)["title"] == "Hours of the ferry"
    # Deleting asks first.
    page.get_by_role("button", name="Delete: Hours of the ferry").click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Delete: Hours of the ferry")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".conversations .title")).to_have_text(["What does it cost?"])
    expect(page.locator(".welcome")).to_be_visible()  # it was the one on the page
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()


def test_after_an_edit_each_citation_resolves_or_says_so(server: Kept, tab: Tab) -> None:
    page = tab.page
    tab.ask("When?")
    edited = ARTICLES[0].text.replace("nine euros", "ten euros")
    server.rag.articles = [
        replace(ARTICLES[0], text=edited.replace("Paragraph 0", "Something new. Paragraph 0", 1)),
        *ARTICLES[1:],
    ]
    try:
        page.reload()
        expect(page.locator("#exchange-1 .claim")).to_have_count(2)
        expect(page.locator("#exchange-1 .lost")).to_have_count(1)
        expect(page.locator("#exchange-1 .lost")).to_contain_text("The article has changed")
        page.locator(".cite").first.click()  # it has moved, and is found
        expect(page.locator("mark.current")).to_have_text(
            "The ferry to Hvar leaves Split every morning at seven."
        )
        assert in_view(page, "mark.current")
        page.locator(".cite").nth(1).click()
        expect(page.locator("#side .notice")).to_have_text(texts.CHANGED)
        expect(page.locator("mark.current")).to_have_count(0)
    finally:
        server.rag.articles = ARTICLES


def test_a_rating_and_its_note_are_stored_and_come_back(server: Kept, tab: Tab) -> None:
    page = tab.page
    tab.ask("When?")
    page.get_by_role("button", name="Good answer").click()
    expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    [row] = (server.folder / "ratings" / "questions.jsonl").read_text("utf-8").splitlines()
    assert len(json.loads(row)["evidence"]) == 3
    bad = page.get_by_role("button", name="Not good")
    bad.click()
    expect(bad).to_have_attribute("aria-pressed", "true")
    page.get_by_role("textbox", name="Add a note").fill("It leaves at <b>eight</b>.")
    page.keyboard.press("Enter")
    stored = server.folder / "ratings" / "not_good.jsonl"
    wait_until(lambda: stored.exists() and "eight" in stored.read_text("utf-8"))
    assert (server.folder / "ratings" / "questions.jsonl").read_text("utf-8") == ""
    page.reload()
    expect(page.get_by_role("textbox", name="Add a note")).to_have_value(
        "It leaves at <b>eight</b>."
    )
    page.get_by_role("button", name="Not good").click()  # taken back
    expect(page.locator(".note-form")).to_have_count(0)
    assert stored.read_text("utf-8") == ""


def test_hostile_questions_stay_text_in_the_list(tab: Tab) -> None:
    tab.ask(f"hostile {HOSTILE}")
    assert conversations(tab)[0].startswith("hostile <script>window")
    tab.page.locator(".conversations .entry").first.click()
    expect(tab.page.locator("#exchange-1 .claim")).to_have_count(2)
    assert tab.page.locator("#desk img, #desk script, #desk svg").count() == 0


def test_nothing_moves_while_an_answer_is_written(tab: Tab) -> None:
    page = tab.page
    tab.ask("When?")
    page.locator("#question textarea").fill("A slow question")
    page.locator("#question textarea").press("Enter")
    expect(page.locator("#exchange-2 .claim")).to_have_count(1)
    conversations(tab)
    page.get_by_role("button", name="Delete: When?").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#hint")).to_contain_text("An answer is still being written.")
    expect(page.locator("#exchange-2 .claim")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#ask")).to_be_visible()

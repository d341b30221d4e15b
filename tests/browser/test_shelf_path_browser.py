"""A folder added by its path, in a real browser, over a real index of a small folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import BROWSER
from fake_rag import HOSTILE
from playwright.sync_api import Browser, Page, expect
from served import serving

from rag import texts
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.ingest.folder import beside
from rag.ingest.uploads import Manager
from rag.server.background import Updater
from rag.web.articles import Librarian

pytestmark = BROWSER
CONFIG = Config(encoder="hashed", generator="extractive", store="numpy", article_bytes=200_000)
COST = "The lighthouse of Brel cost four million kroner."


@pytest.fixture
def librarian(articles: Path, tmp_path: Path) -> Iterator[Librarian]:
    with Rag.for_articles(articles, CONFIG, tmp_path / "index") as rag:
        updater = Updater(lambda progress: rag.sync(articles, progress))
        yield Librarian(rag, Manager(articles, CONFIG), updater, local=True)


@pytest.fixture
def page(librarian: Librarian, browser: Browser) -> Iterator[Page]:
    from rag.app import Options

    complaints: list[str] = []
    with serving(librarian.rag, Options(librarian=librarian)) as server:
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.goto(server.url)
        expect(opened.locator(".library li").first).to_be_visible()
        yield opened
        assert complaints == []
        assert opened.evaluate("window.__pwned") is None
        opened.close()


def add(page: Page, path: Path | str) -> None:
    """Type a path, by keyboard alone."""
    field = page.get_by_label("Path of a folder or a file")
    if not field.is_visible():
        page.get_by_text("Add a folder of this computer by its path").focus()
        page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(str(path))
    page.keyboard.press("Enter")


def test_a_folder_is_added_by_its_path_and_asked_about(
    page: Page, librarian: Librarian, tmp_path: Path
) -> None:
    reports = tmp_path / "reports"
    (reports / "2024").mkdir(parents=True)
    text = f"A lighthouse for Brel\n\n{COST} Ships see it from afar.\n"
    (reports / "2024" / "light.txt").write_text(text, encoding="utf-8")
    (reports / "hostile.txt").write_text(f"{HOSTILE}\n\nThe zeppelin is late. {HOSTILE}\n")
    (reports / "scan.pdf").write_bytes(b"%PDF-1.4 nothing")
    (reports / "picture.jpg").write_bytes(b"x")
    (reports / "passwd.txt").symlink_to("/etc/passwd")
    add(page, reports)
    said = page.locator('.shelving[data-state="done"]')
    expect(said).to_contain_text("2 articles can be asked about.")
    expect(said).to_contain_text("2 files could not be added")
    expect(said).to_contain_text("reports/scan.pdf")
    expect(said).to_contain_text("reports/passwd.txt is a link, which is not followed.")
    expect(said).to_contain_text("1 file of another format is left out (.jpg).")
    expect(page.locator(".library")).to_contain_text("uploads/reports/2024/light.txt")
    manager = librarian.manager
    assert manager is not None
    kept = beside(manager.articles) / "uploads" / "reports"
    assert sorted(path.name for path in kept.rglob("*.*")) == ["hostile.txt", "light.txt"]
    assert (reports / "2024" / "light.txt").read_text(encoding="utf-8") == text
    page.locator("#question textarea").fill("What did the lighthouse of Brel cost?")
    page.locator("#question textarea").press("Enter")
    expect(page.locator("#exchange-1 .quoted").first).to_contain_text(COST)
    # What was added so can be removed as what was dropped.
    page.get_by_role("button", name="Remove A lighthouse for Brel").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(said).to_contain_text(re.compile(r"Removed light\.txt\. It is kept in .*/removed/"))


def test_a_path_that_leads_nowhere_gets_a_plain_sentence(page: Page, librarian: Librarian) -> None:
    said = page.locator('.shelving[data-state="done"] .wrong')
    add(page, "/no/<img src=x onerror=window.__pwned=1>")
    expect(said).to_contain_text("There is no folder or file /no/<img src=x")
    add(page, "news")  # and the field is there to be corrected
    expect(said).to_contain_text("news is only a part of a path.")
    manager = librarian.manager
    assert manager is not None
    assert not beside(manager.articles).exists()


def test_a_proxy_in_between_is_not_this_computer(
    page: Page, librarian: Librarian, tmp_path: Path
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "a.txt").write_text("A\n\nOne sentence.\n")
    page.set_extra_http_headers({"X-Forwarded-For": "192.0.2.7"})
    add(page, tmp_path / "reports")
    expect(page.locator(".shelving .wrong")).to_have_text(texts.NOT_BY_PATH)


def test_where_others_reach_the_page_there_is_no_such_field(
    librarian: Librarian, browser: Browser
) -> None:
    from rag.app import Options

    with serving(librarian.rag, Options(librarian=replace(librarian, local=False))) as server:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.get_by_role("button", name="Add articles")).to_be_visible()
        assert page.locator("[data-path-form]").count() == 0
        page.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_the_field_fits_and_is_accessible(page: Page, theme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{page.url}?__theme={theme}")
    expect(page.locator(".library li").first).to_be_attached()
    if width < 900:
        page.get_by_role("button", name="Articles", exact=True).click()
    add(page, "/none")
    expect(page.locator(".shelving .wrong")).to_be_visible()
    box = page.locator("[data-path-form]").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    found = axe.Axe().run(page).response["violations"]
    assert not [
        (v["id"], v["nodes"][0]["html"][:200])
        for v in found
        if v["impact"] in {"serious", "critical"}
    ]

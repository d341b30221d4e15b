"""The articles' part of the page in a real browser, over a real index of a small folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browsing import BROWSER
from fake_rag import HOSTILE, FakeRag
from playwright.sync_api import Browser, Page, expect
from served import serving

from rag import texts
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.ingest.folder import beside
from rag.ingest.uploads import Manager
from rag.server.background import Updater
from rag.types import Scope
from rag.web.articles import Librarian

pytestmark = BROWSER
CONFIG = Config(encoder="hashed", generator="extractive", store="numpy", article_bytes=200_000)
NEWS = {
    "bridge.txt": (
        "Harbour bridge closes",
        "2024-03-08",
        "Herald",
        "The Harbour Bridge in Maldon was closed on Friday after cracks were found.",
    ),
    "ferry.txt": ("Ferry to Lisk", "2024-05-20", "Post", "The ferry to Lisk costs nine euros."),
    "owls.txt": ("Owls return", "2024-05-02", "Herald", "Rangers counted eleven snowy owls."),
    "mill.txt": ("The old mill burns", "2024-01-15", "Post", "The mill of Oster burnt down."),
    "school.txt": ("A school for sailors", "2024-02-11", "Post", "Sixty pupils learn to sail."),
    "market.txt": ("Market day moves", None, None, "The market of Maldon moves to Tuesday."),
}
COST = "The lighthouse of Brel cost four million kroner."
LIGHTHOUSE = (
    "A lighthouse for Brel\nPublished: 2024-04-01\n\nThe lighthouse of Brel cost four million "
    "kroner. Ships see it from afar.\n"
)


@dataclass
class Desk:
    page: Page
    articles: Path
    rag: Rag
    url: str
    complaints: list[str]

    def send(self, *files: Path) -> None:
        self.page.locator("[data-files]").set_input_files(files)

    def drop(self, name: str, text: str) -> None:
        """Drop a file of any name on the page, as a visitor's browser would."""
        self.page.evaluate(
            """([name, text]) => {
                const data = new DataTransfer();
                data.items.add(new File([text], name, { type: "text/plain" }));
                const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true,
                                                     cancelable: true });
                document.body.dispatchEvent(drop);
            }""",
            [name, text],
        )

    def ask(self, question: str, number: int = 1) -> None:
        self.page.locator("#question textarea").fill(question)
        self.page.locator("#question textarea").press("Enter")
        done = self.page.locator(f'#exchange-{number} .answer[aria-busy="false"]')
        expect(done).to_be_visible()
        expect(self.page.locator("#ask")).to_be_visible()

    def said(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator('.shelving[data-state="done"]')).to_contain_text(text)

    def titles(self) -> list[str]:
        return self.page.locator(".library .title").all_inner_texts()


@pytest.fixture
def desk(tmp_path: Path, browser: Browser) -> Iterator[Desk]:
    yield from desk_of(tmp_path, browser)


def noted(page: Page) -> tuple[list[str], list[str]]:
    """Return what goes wrong on the page, and what it requests, as it comes."""
    complaints: list[str] = []
    requests: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    return complaints, requests


def desk_of(tmp_path: Path, browser: Browser, *, own: bool = False) -> Iterator[Desk]:
    from rag.app import Options

    articles = tmp_path / "news"
    articles.mkdir()
    for name, (title, published, source, text) in NEWS.items():
        head = f"Published: {published}\nSource: {source}\n" if published else ""
        (articles / name).write_text(f"{title}\n{head}\n{text}\n", encoding="utf-8")
    with Rag.for_articles(articles, CONFIG, tmp_path / "index") as rag:
        updater = Updater(lambda progress: rag.sync(articles, progress))
        librarian = Librarian(rag, Manager(articles, CONFIG, own=own), updater)
        with serving(rag, Options(librarian=librarian)) as server:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            complaints, asked = noted(page)
            page.goto(server.url)
            expect(page.locator(".welcome")).to_be_visible()
            expect(page.locator(".library li").first).to_be_visible()
            yield Desk(page, articles, rag, server.url, complaints)
            assert complaints == []
            assert all(url.startswith((server.url, "data:", "blob:")) for url in asked)
            assert page.evaluate("window.__pwned") is None
            page.close()


def test_upload_and_ask_about_it_then_remove_and_ask_again(desk: Desk, tmp_path: Path) -> None:
    page, before = desk.page, sorted(desk.articles.iterdir())
    desk.ask("What did the lighthouse of Brel cost?")
    expect(page.locator("#exchange-1")).not_to_contain_text("kroner")
    file = tmp_path / "light.txt"
    file.write_text(LIGHTHOUSE, encoding="utf-8")
    desk.send(file)
    desk.said("Added light.txt: 1 article can be asked about.")
    expect(page.locator(".library")).to_contain_text("A lighthouse for Brel")
    expect(page.get_by_text("7 articles indexed")).to_be_visible()
    desk.ask("What did the lighthouse of Brel cost?", 2)
    expect(page.locator("#exchange-2 .quoted").first).to_contain_text(COST)
    page.locator("#exchange-2 .cite").first.click()
    expect(page.locator("mark.current")).to_have_text(COST)
    assert sorted(desk.articles.iterdir()) == before  # the folder itself stays as it was
    page.get_by_role("button", name="All articles").click()

    page.get_by_role("button", name="Remove A lighthouse for Brel").click()
    dialog = page.get_by_role("dialog", name="Remove this file?")
    expect(dialog).to_contain_text("A lighthouse for Brel")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Remove A lighthouse for Brel").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    desk.said(re.compile(r"Removed light\.txt\. It is kept in news\.footnote/removed/"))
    expect(page.get_by_text("6 articles indexed")).to_be_visible()
    desk.ask("What did the lighthouse of Brel cost?", 3)
    expect(page.locator("#exchange-3")).not_to_contain_text("kroner")
    # What an older answer cites is gone, and that is said.
    page.locator("#exchange-2 .cite").first.click()
    expect(page.locator("#side .notice")).to_contain_text("There is no article")
    (kept,) = (beside(desk.articles) / "removed").rglob("light.txt")
    assert kept.read_text(encoding="utf-8") == LIGHTHOUSE


def test_what_is_refused_says_why(desk: Desk, tmp_path: Path) -> None:
    files = {
        "tool.exe": b"MZ",
        "scan.pdf": b"%PDF-1.4 x",
        "ok.md": b"# Fine\n\nIt is.",
        "big.txt": b"word " * 50_000,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    desk.send(*(tmp_path / name for name in files))
    desk.said("Added ok.md: 1 article can be asked about.")
    desk.said("3 files could not be added")
    for reason in ("tool.exe is not a format that is read", "scan.pdf", "big.txt is too large"):
        desk.said(reason)
    desk.page.get_by_role("button", name="Dismiss").click()
    expect(desk.page.locator(".shelving")).to_be_hidden()
    assert [*(beside(desk.articles) / "uploads").iterdir()] == [
        beside(desk.articles) / "uploads" / "ok.md"
    ]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("<img src=x onerror=window.__pwned=1>.txt", "img src=x onerror=window.__pwned=1.txt"),
        ("\u202etxt.exe\"'><script>window.__pwned=2<.txt", None),
        ("../../../etc/passwd.txt", "passwd.txt"),
        (f"{'long ' * 60}.txt", None),
        ("CON.txt", "article CON.txt"),
        ("${window.__pwned=3}{{x}}`.txt", "${window.__pwned=3}{{x}}`.txt"),
    ],
)
def test_a_hostile_name_and_a_hostile_text_stay_text(
    desk: Desk, name: str, kept: str | None
) -> None:
    page = desk.page
    text = f"{HOSTILE} title\nSource: {HOSTILE}\n\nThe zeppelin of Ulm is late. {HOSTILE}\n"
    desk.drop(name, text)
    desk.said("1 article can be asked about.")
    (file,) = (beside(desk.articles) / "uploads").iterdir()
    assert kept in {None, file.name}
    assert not any(mark in file.name for mark in '\u202e<>"/')
    entry = page.locator(".library li", has=page.locator(".added"))
    expect(entry.locator(".title")).to_contain_text("<script>window.__pwned")
    entry.get_by_role("checkbox").check()
    page.get_by_role("button", name="Ask only these").click()
    expect(page.locator(".chip")).to_contain_text("<script>window.__pwned")
    desk.ask("Why is the zeppelin of Ulm late?")
    expect(page.locator("#exchange-1 .limited")).to_contain_text("<script>window.__pwned")
    page.locator("[data-remove]").first.click()
    expect(page.get_by_role("dialog").locator("[data-name]")).to_contain_text("<script>window")
    page.keyboard.press("Escape")
    assert page.locator("#side :is(img, script, svg), #chat :is(img, script, svg)").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_scripts_and_styles_say_what_stands_among_the_texts(desk: Desk) -> None:
    drag = """(kind) => document.body.dispatchEvent(Object.assign(
        new Event(kind, { bubbles: true, cancelable: true }),
        { dataTransfer: { types: ["Files"], items: [], files: [{ name: "{}.txt", size: 1e9 }] } },
    ))"""
    desk.page.evaluate(drag, "dragenter")
    over = desk.page.evaluate("getComputedStyle(document.body, '::after').content")
    assert over == f'"{texts.IN_STYLES["drop"]}"'
    desk.page.evaluate(drag, "drop")
    most = f"{CONFIG.collection_bytes / 1e6:g}"
    large = texts.IN_SCRIPTS["tooLarge"].replace("{}", "\0", 1).replace("{}", most)
    expect(desk.page.locator(".sending")).to_have_text(large.replace("\0", "{}.txt"))


def test_the_list_is_searched_ordered_and_narrowed_to_a_period(desk: Desk) -> None:
    page = desk.page
    assert desk.titles()[:2] == ["Ferry to Lisk", "Owls return"]
    page.get_by_role("searchbox").fill("herald")
    expect(page.get_by_text("2 of 6 articles")).to_be_visible()
    assert desk.titles() == ["Owls return", "Harbour bridge closes"]
    expect(page.get_by_role("searchbox")).to_have_value("herald")
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_text("6 articles indexed")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.locator('[data-list="order"]').select_option("title")
    expect(page.locator(".library .title").first).to_have_text("A school for sailors")
    page.locator('[data-list="source"]').select_option("Post")
    expect(page.get_by_text("3 of 6 articles")).to_be_visible()
    page.locator('[data-list="source"]').select_option("")
    page.get_by_role("button", name="May 2024: 2 articles").click()
    expect(page.get_by_text("2 of 6 articles · May 2024")).to_be_visible()
    page.get_by_role("button", name="May 2024: 2 articles").click()  # and back
    expect(page.get_by_text("6 articles indexed")).to_be_visible()


def test_a_question_is_limited_to_a_period_until_the_chip_is_taken_away(desk: Desk) -> None:
    page = desk.page
    page.get_by_role("button", name="May 2024: 2 articles").click()
    page.get_by_role("button", name="Ask only these").click()
    expect(page.locator(".chip")).to_contain_text("Asking only May 2024")
    desk.ask("What was closed in Maldon?")
    expect(page.locator("#exchange-1 .limited")).to_have_text("Asked only of May 2024")
    expect(page.locator("#exchange-1")).not_to_contain_text("after cracks were found")
    page.get_by_role("button", name="Ask all articles again").click()
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.locator("#question textarea")).to_be_focused()
    desk.ask("What was closed in Maldon?", 2)
    expect(page.locator("#exchange-2")).to_contain_text("after cracks were found")
    expect(page.locator("#exchange-2 .limited")).to_have_count(0)


def test_by_keyboard_alone(desk: Desk) -> None:
    """Search, walk the time line, tick an article, open one and come back, limit the question."""
    page = desk.page

    def focused(selector: str) -> bool:
        return bool(page.evaluate("(s) => document.activeElement.matches(s)", selector))

    def tab_to(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if focused(selector):
                style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert style == "solid"
                return
        raise AssertionError(f"Tab does not reach {selector}")

    tab_to("[data-add]")
    tab_to('[data-list="query"]')
    tab_to("button.bar")
    first = page.evaluate("document.activeElement.dataset.first")
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.first") != first
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 6 articles · May 2024")).to_be_visible()
    assert focused('button.bar[aria-pressed="true"]')
    tab_to("[data-ask-listed]")
    tab_to("[data-show-all]")
    tab_to(".pick")
    page.keyboard.press("Space")
    expect(page.get_by_text("1 article selected")).to_be_visible()
    tab_to(".entry")
    page.keyboard.press("Enter")
    expect(page.locator('.pane[data-view="article"]')).to_be_visible()
    expect(page.locator(".shelf-title")).to_be_hidden()
    page.keyboard.press("Tab")
    page.get_by_role("button", name="All articles").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".shelf-title")).to_be_visible()
    expect(page.locator(".entry").first).to_be_focused()  # where it came from
    expect(page.locator(".pick").first).to_be_checked()
    tab_to("[data-ask-picked]")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_contain_text("“Ferry to Lisk”")
    expect(page.locator("#question textarea")).to_be_focused()


def test_on_a_phone_the_list_works_in_its_sheet(desk: Desk) -> None:
    page = desk.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Articles", exact=True).click()
    page.locator(".pick").first.check()
    page.get_by_role("button", name="Ask only these").click()
    expect(page.locator("#side")).to_be_hidden()
    expect(page.locator(".chip")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_serious(desk: Desk, tmp_path: Path, theme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = desk.page
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{desk.url}/?__theme={theme}")
    expect(page.locator(".library li")).to_have_count(6)
    if width < 900:
        page.get_by_role("button", name="Articles", exact=True).click()
    page.locator(".pick").first.check()
    for name in ("light.txt", "tool.exe"):
        (tmp_path / name).write_text(LIGHTHOUSE, encoding="utf-8")
    desk.send(tmp_path / "light.txt", tmp_path / "tool.exe")
    desk.said("tool.exe is not a format")
    page.locator("button.bar").last.click()
    expect(page.get_by_text("· May 2024")).to_be_visible()
    found = axe.Axe().run(page).response["violations"]
    assert not [
        (v["id"], v["nodes"][0]["html"][:200])
        for v in found
        if v["impact"] in {"serious", "critical"}
    ]


def test_files_of_the_folder_go_only_where_that_was_allowed(
    tmp_path: Path, browser: Browser
) -> None:
    for desk in desk_of(tmp_path, browser, own=True):
        desk.page.get_by_role("button", name="Remove Owls return").click()
        desk.page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
        desk.said("Removed owls.txt")
        assert not (desk.articles / "owls.txt").exists()


def test_the_page_without_a_librarian_changes_nothing(browser: Browser) -> None:
    with serving(FakeRag()) as server:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.get_by_text("3 articles indexed")).to_be_visible()
        assert page.locator("[data-add], [data-remove], [data-files]").count() == 0
        page.locator(".pick").first.check()
        page.get_by_role("button", name="Ask only these").click()
        expect(page.locator(".chip")).to_contain_text("The morning ferry to Hvar")
        page.locator("#question textarea").fill("When?")
        page.locator("#question textarea").press("Enter")
        expect(page.locator("#exchange-1 .limited")).to_be_visible()
        assert server.rag.scopes[-1] == Scope(paths=frozenset({"ferry.txt"}))
        page.close()


def test_a_file_that_the_browser_did_not_send_is_not_read(desk: Desk, tmp_path: Path) -> None:
    """A forged event that names a file of the server adds nothing."""
    secret = tmp_path / "secret.txt"
    secret.write_text("A secret\n\nNobody may read it.\n", encoding="utf-8")
    librarian = Librarian(desk.rag, Manager(desk.articles, CONFIG), Updater(lambda _: None))  # type: ignore[arg-type, return-value]
    uploaded = tmp_path / "uploaded"
    uploaded.mkdir()
    (uploaded / "link.txt").symlink_to(secret)
    for path in (
        str(secret),
        f"{uploaded}/../secret.txt",
        f"{uploaded}/link.txt",
        "/etc/passwd",
        f"{uploaded}\0",
        7,
        None,
        str(uploaded),
    ):
        shown = list(librarian.add({"files": [{"path": path, "name": "x.txt"}]}, uploaded))
        assert len(shown) == 1
    assert secret.exists()
    assert not beside(desk.articles).exists()

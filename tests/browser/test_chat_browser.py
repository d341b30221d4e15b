"""The web chat in a real browser, over a scripted engine."""

from __future__ import annotations

import http.client
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from browsing import BROWSER, in_view
from fake_rag import HOSTILE, FakeRag
from playwright.sync_api import Browser, Page, expect
from served import Server, free_port, serving, wait_until

from rag.errors import InputError, ModelError

pytestmark = BROWSER


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The server that the tests share; at the end, nothing in this process has called out."""
    called: list[object] = []
    watching = [True]

    def watch(event: str, arguments: tuple[object, ...]) -> None:  # cannot be removed, only ended
        if watching and event in {"socket.connect", "socket.getaddrinfo", "socket.sendto"}:
            called.append(arguments[1] if event != "socket.getaddrinfo" else arguments[:2])

    sys.addaudithook(watch)
    with serving(FakeRag(pause=0.05)) as served:
        yield served
    watching.clear()
    named = {address[0] for address in called if isinstance(address, tuple)}
    assert named <= {"127.0.0.1", "localhost"}


@dataclass
class Visit:
    """One visitor's page, and what it did behind the scenes."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        self.page.locator("#question textarea").fill(question)
        self.page.locator("#question textarea").press("Enter")

    def answer(self, number: int = 1) -> None:
        """Wait until the exchange is finished."""
        expect(self.page.locator(f'#exchange-{number} .answer[aria-busy="false"]')).to_be_visible()
        expect(self.page.locator("#ask")).to_be_visible()


Visitor = Callable[..., Visit]


@pytest.fixture
def visitor(server: Server, browser: Browser) -> Iterator[Visitor]:
    visits: list[Visit] = []

    def arrive(url: str = server.url, width: int = 1280, height: int = 800) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height})
        visit = Visit(context.new_page())
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on(
            "console",
            lambda said: (
                visit.complaints.append(said.text) if said.type in {"error", "warning"} else None
            ),
        )
        visit.page.goto(url)
        expect(visit.page.locator(".welcome")).to_be_visible()
        visits.append(visit)
        return visit

    yield arrive
    for visit in visits:
        assert visit.complaints == []
        outside = [
            url
            for url in visit.requests
            if not url.startswith((f"{server.url}/", "http://127.0.0.1:", "data:", "blob:"))
        ]
        assert outside == []
        if not visit.page.is_closed():
            assert visit.page.evaluate("window.__pwned") is None
        visit.page.context.close()


def test_ask_evidence_claims_click_highlight(server: Server, visitor: Visitor) -> None:
    visit = visitor()
    page = visit.page
    visit.ask("When does the slow ferry leave?")
    # While the answer is being written: the evidence, and what has been verified so far.
    expect(page.get_by_text("Found in your articles")).to_be_visible()
    expect(page.locator(".found .sentence").first).to_contain_text("The ferry to Hvar leaves Split")
    expect(page.locator(".claim")).to_have_count(1)
    # The sentence that the claim cites has its number, the others have none yet.
    expect(page.locator(".found .number")).to_have_text(["1"])
    expect(page.get_by_role("status").get_by_text("Writing the next claim")).to_be_visible()
    # A source can be read already.
    page.get_by_role("button", name="Source 1: The morning ferry to Hvar").click()
    quote = "The ferry to Hvar leaves Split every morning at seven."
    expect(page.locator("mark.current")).to_have_text(quote)
    assert in_view(page, "mark.current")
    page.get_by_role("button", name="Stop").click()
    visit.answer()

    visit.ask("When does the ferry leave, and what is the price?")
    visit.answer(2)
    second = page.locator("#exchange-2")
    expect(second.locator(".quoted")).to_contain_text("Children travel free.")
    expect(second.locator(".quoted .label")).to_have_text("Quoted")
    expect(second.locator(".note")).to_have_text("The articles give two prices.")
    expect(second.locator(".facts")).to_contain_text("Well supported · found in 0.1")
    second.get_by_role("button", name="Source 2").first.click()
    expect(page.locator("mark.current")).to_have_text(
        "Tickets cost nine euros in summer and six in winter."
    )
    expect(page.locator("mark.other")).to_have_count(2)
    assert in_view(page, "mark.current")
    side = page.locator("#side")
    for fact in ("The morning ferry to Hvar", "Published 3 June 2024", "Coast", "ferry.txt"):
        expect(side).to_contain_text(fact)
    # Scrolled away, the same mark brings the sentence back.
    page.evaluate("document.getElementById('side').scrollTop = 0")
    assert not in_view(page, "mark.current")
    second.get_by_role("button", name="Source 2").first.click()
    wait_until(lambda: in_view(page, "mark.current"))
    # The quote among its neighbours.
    expect(second.locator('.cite[aria-current="true"]')).to_have_text("[2]")
    second.get_by_text("In context").nth(1).click()
    expect(second.locator(".context:visible")).to_have_text(
        "The ferry to Hvar leaves Split every morning at seven. Tickets cost nine euros in summer "
        "and six in winter. Children travel free."
    )
    expect(second.locator(".context:visible strong")).to_have_text(
        "Tickets cost nine euros in summer and six in winter."
    )
    # The engine got the conversation as plain text.
    history = server.rag.calls[-1][1]
    assert [turn.text for turn in history] == [
        "When does the slow ferry leave?",
        "The ferry leaves Split at seven.",
    ]


def test_an_unfolded_context_stays_open_while_the_next_answer_comes(visitor: Visitor) -> None:
    visit = visitor()
    visit.ask("When?")
    visit.answer()
    visit.page.get_by_text("In context").first.click()
    visit.ask("And when then?")
    visit.answer(2)
    expect(visit.page.locator("#exchange-1 .context").first).to_be_visible()
    expect(visit.page.locator("#exchange-2 .context").first).to_be_hidden()


def test_stop_keeps_what_was_verified_and_ends_the_work(server: Server, visitor: Visitor) -> None:
    visit = visitor()
    visit.ask("A slow question")
    expect(visit.page.locator(".claim")).to_have_count(1)
    assert server.rag.running == 1
    visit.page.get_by_role("button", name="Stop").click()
    wait_until(lambda: server.rag.running == 0, seconds=1.5)
    expect(visit.page.locator("p.stopped")).to_contain_text("Stopped.")
    expect(visit.page.locator(".claim")).to_have_count(1)
    visit.ask("And now?")  # the page is ready for the next one
    visit.answer(2)


def test_closing_the_tab_ends_the_work(server: Server, visitor: Visitor) -> None:
    visit = visitor()
    visit.ask("A slow question")
    expect(visit.page.locator(".claim")).to_have_count(1)
    assert server.rag.running == 1
    visit.page.close()
    wait_until(lambda: server.rag.running == 0, seconds=5)


def test_a_refusal_and_an_error(visitor: Visitor) -> None:
    visit = visitor()
    visit.ask("Who landed on the moon?")
    visit.answer()
    expect(visit.page.locator(".declined")).to_contain_text("The articles do not say")
    expect(visit.page.locator(".declined")).to_contain_text("Nothing is said about the moon.")
    expect(visit.page.get_by_text("Nearest sentences")).to_be_visible()
    nearest = visit.page.locator(".evidence").first
    nearest.click()
    expect(visit.page.locator("mark.current")).to_have_text(
        nearest.locator(".sentence").inner_text()
    )
    visit.ask("Is it broken?")
    visit.answer(2)
    expect(visit.page.locator("#exchange-2 .error")).to_have_text(
        "No answer. The model file qwen.gguf is damaged. Run: python -m rag models fetch"
    )
    expect(visit.page.locator("body")).not_to_contain_text("Traceback")


def test_a_fault_is_one_line_and_the_page_goes_on(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visit = visitor()
    visit.ask("A fault?")
    visit.answer()
    expect(visit.page.locator(".error")).to_contain_text("Something went wrong in Footnote itself")
    expect(visit.page.locator("body")).not_to_contain_text("not one of ours")
    assert "RuntimeError: not one of ours" in caplog.text
    visit.ask("And now?")
    visit.answer(2)
    expect(visit.page.locator("#exchange-2 .claim")).to_have_count(2)


def test_while_the_model_loads_there_is_evidence_and_stop_works(visitor: Visitor) -> None:
    from rag.app import serve

    rag, port = FakeRag(warm_up_error=ModelError("qwen.gguf is damaged.")), free_port()
    rag.loaded.clear()

    def use() -> None:  # what is served instead of waiting for Ctrl+C
        visit = visitor(f"http://127.0.0.1:{port}")
        visit.ask("When?")
        expect(visit.page.locator(".evidence").first).to_be_visible()
        expect(visit.page.get_by_role("status").get_by_text("Reading the evidence")).to_be_visible()
        visit.page.get_by_role("button", name="Stop").click()
        visit.answer()
        expect(visit.page.locator("p.stopped")).to_have_text("Stopped.")
        rag.loaded.set()
        wait_until(lambda: not any(t.name == "warm-up" for t in threading.enumerate()))
        visit.ask("And now?")  # the server outlives what went wrong
        visit.answer(2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rag.app._until_interrupted", use)
        serve(rag, port=port)


def test_an_empty_question_gets_a_hint(server: Server, visitor: Visitor) -> None:
    visit = visitor()
    before = len(server.rag.calls)
    visit.ask("   ")
    expect(visit.page.get_by_text("Type a question first.")).to_be_visible()
    visit.page.get_by_role("button", name="Ask", exact=True).click()
    assert len(server.rag.calls) == before
    visit.ask("When?")
    visit.answer()
    expect(visit.page.get_by_text("Type a question first.")).to_have_count(0)


def test_a_question_during_an_answer_is_kept_and_explained(
    server: Server, visitor: Visitor
) -> None:
    visit = visitor()
    visit.ask("A slow question")
    expect(visit.page.locator(".claim")).to_have_count(1)
    calls = len(server.rag.calls)
    visit.ask("And now?")
    expect(visit.page.locator("#hint")).to_contain_text("An answer is still being written.")
    expect(visit.page.locator("#question textarea")).to_have_value("And now?")
    assert len(server.rag.calls) == calls
    visit.page.get_by_role("button", name="Stop").click()
    visit.answer()
    visit.page.locator("#question textarea").press("Enter")
    visit.answer(2)
    expect(visit.page.locator("#hint")).to_be_empty()


def test_hostile_text_stays_text_everywhere(visitor: Visitor) -> None:
    visit = visitor()
    page = visit.page
    question = f"hostile {HOSTILE} ![image](http://example.org/x.png) **bold** <b>b</b>"
    visit.ask(question)
    visit.answer()
    expect(page.locator(".question")).to_have_text(question)
    expect(page.locator(".claim").first).to_contain_text("<script>window.__pwned")
    page.locator(".cite").first.click()
    expect(page.locator("mark.current")).to_have_text("First.")
    expect(page.locator("#side .text")).to_contain_text("<script>window.__pwned='script'</script>")
    expect(page.locator("#side .pane h2")).to_have_text(HOSTILE)
    page.get_by_role("button", name="All articles").click()
    page.locator(".entry").nth(2).click()
    expect(page.locator("#side .pane h2")).to_have_text(HOSTILE)
    page.get_by_role("button", name="New conversation").click()
    page.locator(".welcome .example").nth(2).click()  # made from the hostile title
    expect(page.locator("#question textarea")).to_have_value(re.compile("<script>"))
    assert page.locator("#footnote img, #desk img, #desk script, #desk svg").count() == 0
    assert page.evaluate("window.__pwned") is None


def test_two_visitors_do_not_share_a_conversation(server: Server, visitor: Visitor) -> None:
    one, two = visitor(), visitor()
    one.ask("A slow secret of the first visitor")
    expect(one.page.locator(".claim")).to_have_count(1)
    two.ask("When? says the second visitor")  # served while the first one waits
    two.answer()
    assert server.rag.running == 1  # and the second one's end stopped nobody else
    one.page.get_by_role("button", name="Stop").click()
    one.answer()
    expect(two.page.locator("body")).not_to_contain_text("first visitor")
    expect(one.page.locator("body")).not_to_contain_text("second visitor")
    two.ask("And then?")
    two.answer(2)
    assert [turn.text for turn in server.rag.calls[-1][1] if turn.role == "user"] == [
        "When? says the second visitor"
    ]


def test_a_new_conversation_forgets(server: Server, visitor: Visitor) -> None:
    visit = visitor()
    visit.ask("When?")
    visit.answer()
    visit.page.get_by_role("button", name="New conversation").click()
    expect(visit.page.locator(".welcome")).to_be_visible()
    expect(visit.page.locator(".exchange")).to_have_count(0)
    visit.ask("What else?")
    visit.answer(1)
    assert server.rag.calls[-1][1] == []


def test_keyboard_only(visitor: Visitor) -> None:
    visit = visitor()
    page = visit.page
    expect(page.locator("#question textarea")).to_be_focused()
    assert page.get_by_role("textbox", name="Your question").count() == 1
    page.keyboard.type("When does it leave?")
    page.keyboard.press("Enter")
    visit.answer()
    expect(page.locator("#question textarea")).to_be_focused()
    for _ in range(30):  # backwards from the question into the answer
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.cite')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    name = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert name == "Source 3: The morning ferry to Hvar"
    page.keyboard.press("Enter")
    expect(page.locator("mark.current")).to_have_text("Children travel free.")
    assert in_view(page, "mark.current")
    assert page.evaluate("document.activeElement.matches('.cite')")  # and goes on reading


def test_on_a_phone_the_article_is_a_sheet(visitor: Visitor) -> None:
    visit = visitor(width=390, height=844)
    page = visit.page
    expect(page.locator("#side")).to_be_hidden()
    page.get_by_role("button", name="Articles", exact=True).click()
    expect(page.get_by_text("3 articles indexed")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    visit.ask("When?")
    visit.answer()
    page.locator(".cite").first.click()
    expect(page.locator("mark.current")).to_be_visible()
    wait_until(lambda: in_view(page, "mark.current"))
    assert page.evaluate("document.getElementById('side').contains(document.activeElement)")
    assert page.locator("#chat").get_attribute("inert") is not None
    page.keyboard.press("Escape")
    expect(page.locator("#side")).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('.cite')")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_list_of_articles_opens_them(visitor: Visitor) -> None:
    page = visitor().page
    expect(page.get_by_text("3 articles indexed")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Vis opens its tunnels")).click()
    expect(page.locator("#side .text")).to_contain_text("Vis has dug tunnels. They are open.")
    expect(page.locator("#side .pane .path")).to_have_text("islands/vis.txt")
    expect(page.locator("mark")).to_have_count(0)
    page.get_by_role("button", name="All articles").click()
    expect(page.get_by_text("3 articles indexed")).to_be_visible()


def test_an_empty_index_says_what_to_do(visitor: Visitor) -> None:
    with serving(FakeRag(articles=())) as empty:
        page = visitor(empty.url).page
        expect(page.locator(".welcome")).to_contain_text("python -m rag index FOLDER")
        expect(page.locator("#side")).to_contain_text("Nothing is indexed")


def test_a_taken_port_is_named(server: Server) -> None:
    from rag.app import serve

    with pytest.raises(InputError, match=rf"{server.port}.*--port"):
        serve(FakeRag(), port=server.port)
    with pytest.raises(InputError, match=r"70000.*--port"):
        serve(FakeRag(), port=70_000)


def test_only_this_machine_is_answered_and_spoken_to(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/")
    response = connection.getresponse()
    page = response.read().decode()
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert not re.findall(r"https?://", policy)
    assert not re.findall(r'(?:src|href)="https?://(?!127\.0\.0\.1)', page)
    connection.request("GET", "/config", headers={"Host": "rebound.example.org"})
    assert connection.getresponse().status == 400
    connection.close()

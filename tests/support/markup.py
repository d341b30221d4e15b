"""Markup as a browser reads it."""

from __future__ import annotations

from html.parser import HTMLParser


class Seen(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(markup: str) -> Seen:
    parser = Seen()
    parser.feed(markup)
    parser.close()
    return parser


def without_docs(markup: str) -> str:
    """Return the welcome without its one link, which leads to the page for programs."""
    link = '<a class="for-programs" href="docs">For programs</a>'
    assert link in markup
    return markup.replace(link, "")

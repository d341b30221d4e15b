"""HTML from templates. What stands in braces is escaped, and what would not be seen made visible,
whoever wrote the line; only what another template has made goes in as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from rag.text.untrusted import shown

CACHED_CHARACTERS = 500  # characters; longer texts are escaped each time that they are drawn
_LINE_BREAK = re.compile(r"(?<=[>}])(\s*\n\s*)(?=[<{])")


def environment(package: str) -> Environment:
    """Return the templates of a package: the files in its folder ``templates``."""
    made = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        finalize=_finalized,
        undefined=StrictUndefined,
        extensions=[LineBreaks],
        auto_reload=False,
    )
    made.filters |= {"exact": exact, "shown": shown}
    return made


class LineBreaks(Extension):
    """Line breaks between tags, with what indents the next line, are for who reads the template.

    In the page they would be spaces between words, and text in elements that are hidden when empty.
    As comments they still count as lines in messages of errors.
    """

    def preprocess(
        self,
        source: str,
        name: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
    ) -> str:
        return _LINE_BREAK.sub(r"{#\1#}", source)


def exact(text: str) -> Markup:
    """Return a text that a program will read: escaped, with no character replaced."""
    return Markup(escape(text))  # noqa: S704 - escaped


def ours(markup: str) -> str:
    """Return markup that we have drawn ourselves, such as a plot, as markup."""
    return Markup(markup)  # noqa: S704 - the caller has escaped what is in it


def _finalized(value: object) -> object:
    """Return what a template writes of a value."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _escaped_once(value) if len(value) <= CACHED_CHARACTERS else exact(shown(value))


@lru_cache(maxsize=8_192)
def _escaped_once(text: str) -> Markup:
    return exact(shown(text))  # a page draws the same sentences at each step of an answer

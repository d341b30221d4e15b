"""What the page says stands once: in a template, or in rag/texts.py where several of them or a
program say it; in no other module, script or style sheet.

The rules look for what a visitor would read or hear: words between tags, in attributes that are
shown or read out, and strings of several words. They are rough; what only looks like a text of the
page is listed here.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import texts

PACKAGE = Path(texts.__file__).parent
STATIC = PACKAGE / "web/static"
TEMPLATES = sorted(PACKAGE.glob("web/templates/*.html")) + sorted(
    PACKAGE.glob("server/templates/*.html")
)
# Of the page, though there is no markup in them; those that write markup are found.
OF_THE_PAGE = {
    *(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.glob("web/*.py")),
    *"history/visitors history/export server/background server/login".split(),
}
NOT_OF_THE_PAGE = {
    "evaluation/mistakes",
    "evaluation/page",
    "ingest/formats",
}  # an evaluation's report; reads markup
NO_TEXTS = {
    "False",
    "no stub is wanted",  # said to Gradio
    "Markdown",
    "JSON",  # are called so everywhere
    "Segoe UI",
    "Roboto",
    "Liberation Sans",  # fonts
    "Escape",
    "Files",  # the browser's names of a key and of what is dropped
}

VALUE = "\N{REPLACEMENT CHARACTER}"  # stands for a value in a template
FIELD = re.compile(r"(?<!\{)\{[\w.]*\}(?!\})")
SAID = re.compile(r'\b(?:aria-label|title|placeholder|alt|data-tip)="([^"]*)"')
# Attributes, tags, parts of tags at the ends of a piece, and the style of the login page.
MARKUP = re.compile(
    r'[\w-]+="[^"]*"|<style>.*?</style>|<[^<>]*(?:>|$)|^[^<>]*>|^[^<>]*"(?=>)', re.DOTALL
)
NAMED = re.compile(r"^[A-Z][a-z]+$")  # the name of a button
TAG = re.compile(r"</?[a-z][^<>]*>")
WRITES = re.compile(r"</?(?:a|p|b|h\d|li|ul|div|span|main|form|label|input|button)\b[^<>]*>")
LOGS = {"debug", "info", "warning", "error", "exception"}
WORD = re.compile(r"(?<![.\w])[A-Za-z]{2,}")
PROSE = re.compile(
    rf"(?:^|[\s“]|{VALUE})(?:[A-Za-z’]{{2,}}|{VALUE}) [A-Za-z]{{2,}}(?![\w.(=\[])"  # two words
    rf"|[A-Za-z]{{2,}} {VALUE}"
    r"|^[A-Z][a-z]+[.…]?$"  # the name of a button
)
TOKEN = re.compile(  # a comment or a string of a script
    r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`""", re.DOTALL
)


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Yield a module's strings with their lines: no docstrings, and nothing that is logged."""
    left_out: set[ast.AST] = set()
    for node in ast.walk(ast.parse(source)):  # a node comes before what is in it
        match node:
            case ast.Expr():  # a docstring
                left_out.add(node.value)
            case ast.Call(func=ast.Attribute(attr=name)) if name in LOGS:
                left_out |= {part for argument in node.args for part in ast.walk(argument)}
            case ast.JoinedStr() if node not in left_out:
                left_out.update(part for part in node.values if isinstance(part, ast.Constant))
                pieces = [getattr(part, "value", None) for part in node.values]
                yield node.lineno, "".join(p if isinstance(p, str) else VALUE for p in pieces)
            case ast.Constant(value=str(text)) if node not in left_out:
                yield node.lineno, text


def in_script(source: str) -> Iterator[str]:
    for token in TOKEN.findall(source):
        if token[0] != "/":
            yield re.sub(r"\$\{[^}]*\}", VALUE, token[1:-1])


def prose(text: str) -> str:
    """Return what a visitor would read of a string; "" when it is no text of the page."""
    if text in NO_TEXTS:
        return ""
    text = FIELD.sub(VALUE, text)
    said = " ".join(SAID.findall(text))
    plain = MARKUP.sub("\n", text)
    found = WORD.search(said) or (WORD if TAG.search(text) else PROSE).search(plain)
    return text if found else ""


def with_markup() -> set[str]:
    """Return the modules that write markup."""
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(WRITES.search(text) for _, text in strings(path.read_text("utf-8")))
    } - NOT_OF_THE_PAGE


def test_markup_of_the_page_stands_in_templates() -> None:
    assert not with_markup() & OF_THE_PAGE


@pytest.mark.parametrize("module", sorted(OF_THE_PAGE | with_markup()))
def test_a_module_of_the_page_has_no_prose(module: str) -> None:
    source = (PACKAGE / f"{module}.py").read_text("utf-8")
    found = [f"{line}: {text}" for line, text in strings(source) if prose(text)]
    assert not found, f"put these texts of rag/{module}.py into a template or texts.py: {found}"


@pytest.mark.parametrize("script", sorted(path.name for path in STATIC.glob("*.js")))
def test_a_script_of_the_page_has_no_prose(script: str) -> None:
    found = list(filter(None, map(prose, in_script((STATIC / script).read_text("utf-8")))))
    assert not found, f"put these texts of {script} into rag/texts.py, IN_SCRIPTS: {found}"


@pytest.mark.parametrize(
    "sheet",
    [
        "web/static/page.css",
        "web/static/history.css",
        "web/static/articles.css",
    ],
)
def test_a_style_sheet_of_the_page_has_no_words(sheet: str) -> None:
    source = (PACKAGE / sheet).read_text("utf-8")
    shown = re.findall(r'content:[^;]*?"([^"]*)"', source)
    found = [text for text in shown if WORD.search(re.sub(r"\\[0-9a-f]+", "", text))]
    assert not found, f"put these texts of rag/{sheet} into rag/texts.py, IN_STYLES: {found}"


@pytest.mark.parametrize(
    "text",
    [
        '<button type="button" data-close>Close</button>',
        f' data-x="1">Published {VALUE}</p>',
        f'<nav class="cited" aria-label="Cited from here">{VALUE}</nav>',
        f'aria-label="Remove {VALUE}"',
        f"{VALUE} articles selected",
        f"Sending {VALUE} of 3…",
        "could not be sent",
        "Stop",
        "Stopping…",
        "<p>{texts.SAVED} Again.</p>",
    ],
)
def test_prose_is_found(text: str) -> None:
    assert prose(text)


@pytest.mark.parametrize(
    "text",
    [
        f'<p class="plain narrow-only" hidden>{VALUE}</p>',
        f' aria-current="true" data-article="{VALUE}"',
        "<h1>{texts.NAME}</h1>{said}",
        "footnote.opens(element, trigger); kept.acts(element, trigger);",
        "#shelf [data-list], .exchange .elapsed",
        f"conversations/{VALUE}.md",
        "2024-05-03",
        "aria-pressed",
    ],
)
def test_what_nobody_reads_is_no_prose(text: str) -> None:
    assert not prose(text)


def said() -> dict[str, str]:
    """Return the texts by name, those for scripts and style sheets too."""
    plain = {name: value for name, value in vars(texts).items() if name.isupper()}
    return {k: v for k, v in plain.items() if isinstance(v, str)} | texts.IN_SCRIPTS


def test_texts_can_stand_in_markup_as_they_are() -> None:
    for name, text in {**said(), **texts.IN_STYLES}.items():
        assert not set('<>&"') & set(text), name


def in_template(source: str) -> Iterator[str]:
    """Yield what a template says: its texts, those of attributes, and strings in its braces."""
    source = re.sub(r"\{#.*?#\}|<style>.*?</style>", "", source, flags=re.DOTALL)
    for code in re.findall(r"\{\{.*?\}\}|\{%(?! include| extends).*?%\}", source, re.DOTALL):
        yield from re.findall(r'"([^"]*)"', code)
    plain = re.sub(r"\{%.*?%\}", "\n", re.sub(r"\{\{.*?\}\}", VALUE, source, flags=re.DOTALL))
    yield from SAID.findall(plain)
    yield from re.split(r"\n|<[^<>]*>", plain)


def said_by_templates() -> Counter[str]:
    said = (text.strip() for path in TEMPLATES for text in in_template(path.read_text("utf-8")))
    joined = re.compile(rf"{VALUE} of {VALUE}")  # a number of a number
    return Counter(
        text
        for text in said
        if (NAMED.search(text) or PROSE.search(text)) and not joined.fullmatch(text)
    )


def test_a_text_of_a_template_stands_once() -> None:
    found = said_by_templates()
    assert found["Nothing was added."] == found["Remove this file?"] == found["Cancel"] == 1
    assert not {text for text, times in found.items() if times > 1}
    assert not found.keys() & set(said().values())


def test_every_text_is_used_by_several_or_a_program() -> None:
    sources = {
        path: path.read_text("utf-8")
        for path in PACKAGE.rglob("*.*")
        if path.suffix in {".py", ".js", ".css", ".html"}
    }
    within = sources[PACKAGE / "texts.py"].count
    for name in said().keys() - texts.IN_SCRIPTS.keys():
        users = [p for p, text in sources.items() if re.search(rf"\btexts\.{name}\b", text)]
        assert users or within(name) > 1, f"{name} is not used"
        alone = len(users) == 1 and users[0] in TEMPLATES and within(name) == 1
        assert not alone, f"put {name} into {users[0].name}"
    scripts = "".join(text for path, text in sources.items() if path.suffix == ".js")
    assert texts.IN_SCRIPTS.keys() <= set(re.findall(r"\btexts\.(\w+)", scripts))
    styled = set(re.findall(r"var\(--text-(\w+)\)", "".join(sources.values())))
    assert styled == set(texts.IN_STYLES)


def test_a_script_asks_only_for_texts_that_there_are() -> None:
    for path in PACKAGE.rglob("*.js"):
        asked = set(
            re.findall(r"\btexts\.([a-z]\w*)", path.read_text("utf-8").replace("texts.py", ""))
        )
        assert asked <= set(texts.IN_SCRIPTS), path.name

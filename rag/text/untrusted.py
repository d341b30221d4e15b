"""Text that other people wrote, made harmless for where it goes: a prompt, a claim or a page.

The article's own text is never changed: quotes stay slices of it, and offsets hold in the file.
"""

from __future__ import annotations

import json
import re

# Unicode's Default_Ignorable_Code_Point: nothing of them is seen, but a model reads them. Among
# them are zero-width characters, the soft hyphen, bidi controls, variation selectors and tags.
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Control characters that are no white space, and interlinear annotations.
_CONTROL = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufff9-\ufffb"
_UNSEEN = re.compile(f"[{_IGNORABLE}{_CONTROL}]+")
# Those that turn the order of reading, carry hidden text or steer a terminal.
_HARMFUL = re.compile(f"[{_CONTROL}\u202a-\u202e\u2066-\u206f\U000e0000-\U000e0fff]")
_SPACES = re.compile("[\x1c-\x1f\x85]")  # controls that are white space
_JOINING = re.compile("[\u200c\u200d\ufe0e\ufe0f]{1,2}")
_SCRIPTS = "\u0300"  # from here on, joiners have a meaning: in emoji, Persian, Hindi

# A number in brackets, as we cite: "[2]", "[1, 3]", "【2】".
MARKERS = re.compile(r"\s*[\[［【]\s*(\d+(?:\s*[,;–-]\s*\d+)*)\s*[\]］】]")


def visible(text: str) -> str:
    """Return the text without characters that are not seen or that turn the order of reading."""
    return _UNSEEN.sub("", text)


def without_markers(text: str) -> str:
    """Return the text on one line, without numbers in brackets: they would read as citations."""
    seen = MARKERS.sub("", " ".join(visible(text).split()))
    # "[1[2]]" has become "[1]".
    return MARKERS.sub(lambda match: f" ({match[1]})", seen)


def shown(text: str) -> str:
    """Return the text for reading: where characters are hidden or turn the order, a "\ufffd".

    Joiners stay where a script or an emoji needs them; other characters without a shape go.
    """
    return _UNSEEN.sub(_replaced, _SPACES.sub(" ", text))


def _replaced(match: re.Match[str]) -> str:
    run, before = match[0], match.string[match.start() - 1 : match.start()]
    if _HARMFUL.search(run):
        return "\ufffd"
    return run if _JOINING.fullmatch(run) and before >= _SCRIPTS else ""


_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}]")
# Valid in JSON, but ends of lines or commands to some readers; lone surrogates are not UTF-8.
_ESCAPED = re.compile(f"[\x7f-\x9f\u2028\u2029{_BIDI}\ud800-\udfff]")


def clean(text: str) -> str:
    """Return the text without control characters (but line feeds and tabs) and bidi overrides."""
    return _UNSAFE.sub("", text)


def one_line(text: str) -> str:
    """Return the text cleaned and on one line."""
    return " ".join(clean(text).split())


def to_json(value: object, indent: int | None = None) -> str:
    """Return JSON in readable Unicode that is always valid UTF-8 and one line per row."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)

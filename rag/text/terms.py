"""Text → search terms: lower case, without accents, stemmed (irregular forms too). Used by the
lexical index, by sentence ranking and by the checks on claims, so that they agree on what the same
word is.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

import Stemmer

from rag.text.irregular import BASE_FORM

# One Chinese, Japanese kana or Korean character is a term, since these have no spaces between
# words; otherwise a run of letters and digits, with inner apostrophes, points in numbers and
# abbreviations ("u.s."), and thousands separators.
TERM = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
    r"|\d+(?:[.,]\d+)*|(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’][^\W_]+)*"
)

# Words that questions and claims consist of without being about anything.
STOPWORDS = frozenset(
    "a about after all also an and any are as at be been before but by can could did do does for "
    "from had has have he her him his how i if in into is it its me my no not of on or our she so "
    "some such than that the their them then there these they this those to was we were what when "
    "where which while who whom whose why will with would you your s t".split()
)

# What folding may change beyond the case: typographic quotes and dashes stay as they are.
FOLDED = re.compile(r"[^\x00-\x7f‘’“”–—]")
SHORT = 500  # characters
VOICED = "\u3099\u309a"  # marks that make another Japanese sound, not an accented one


class _Bare(dict[int, int | None]):
    """For str.translate: each character as it is, but marks that combine with one are left out."""

    def __missing__(self, code: int) -> int | None:
        mark = unicodedata.combining(chr(code)) and chr(code) not in VOICED
        self[code] = None if mark else code
        return self[code]


_bare = _Bare()
_stemmers = threading.local()  # a Stemmer must not be used by two threads at once


def words(text: str) -> list[str]:
    """Return the words of the text in order: lower case, without accents, not stemmed."""
    return list(_words_kept(text)) if len(text) <= SHORT else _words(text)


@lru_cache(maxsize=8_192)
def _words_kept(text: str) -> tuple[str, ...]:
    return tuple(_words(text))  # of a sentence: one question asks for them several times


def _words(text: str) -> list[str]:
    found = []
    for found_word in TERM.findall(fold(text)):
        if found_word.isalpha():
            found.append(found_word)
            continue
        word = found_word.replace("’", "'").removesuffix("'s")
        if word[0].isdigit():
            word = word.replace(",", "")
        found.append(word.replace(".", "") if word[0].isalpha() else word)
    return found


def terms(text: str) -> list[str]:
    """Return the stemmed words of the text, in order (Snowball English stemmer)."""
    return [stem(word) for word in words(text)]


def content_terms(text: str) -> list[str]:
    """Return ``terms`` without stopwords."""
    return [stem(word) for word in words(text) if word not in STOPWORDS]


def fold(text: str) -> str:
    """Return the text in lower case, without accents, in compatibility form."""
    if text.isascii() or not FOLDED.search(text):
        return text.lower()
    bare = unicodedata.normalize("NFKD", text).translate(_bare)
    return unicodedata.normalize("NFC", bare).lower()  # Korean syllables are whole again


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the stem of a folded word, of "struck" that of "strike"."""
    stemmer = getattr(_stemmers, "english", None)
    if stemmer is None:
        stemmer = _stemmers.english = Stemmer.Stemmer("english")
    return str(stemmer.stemWord(BASE_FORM.get(word, word)))


def fold_spaces(text: str) -> str:
    """Return the text folded, with single spaces between its words."""
    return " ".join(fold(text).split())

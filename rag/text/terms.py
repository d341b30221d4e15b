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
CACHED_CHARACTERS = 500  # characters
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
    return list(_cached_words(text)) if len(text) <= CACHED_CHARACTERS else _words(text)


@lru_cache(maxsize=8_192)
def _cached_words(text: str) -> tuple[str, ...]:
    return tuple(_words(text))  # of a sentence: one question asks for them several times


def _words(text: str) -> list[str]:
    folded = []
    for term in TERM.findall(fold(text)):
        if term.isalpha():
            folded.append(term)
            continue
        word = term.replace("’", "'").removesuffix("'s")
        if word[0].isdigit():
            word = word.replace(",", "")
        folded.append(word.replace(".", "") if word[0].isalpha() else word)
    return folded


def wording(text: str) -> str:
    """Return what two copies of a sentence share, whatever their case, marks and spaces."""
    return " ".join(words(text)) or " ".join(text.split())


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


# English forms that no stemmer brings together: a question asks whether someone "struck", and the
# article says that they "strike".
#
# Left out are words that mostly are something else ("lay", "wound", "bit", "ground").

_FORMS = """
arise arose arisen; awake awoke; become became; begin began begun; bend bent; bleed bled; blow blew
blown; break broke broken; breed bred; bring brought; build built; burn burnt; buy bought; catch
caught; choose chose chosen; cling clung; come came; creep crept; deal dealt; dig dug; draw drew
drawn; dream dreamt; drink drank drunk; drive drove driven; eat ate eaten; fall fell fallen; feed
fed; feel felt; fight fought; find found; flee fled; fly flew flown; forbid forbade forbidden;
forecast forecasted; foresee foresaw foreseen; forget forgot forgotten; forgive forgave forgiven;
freeze froze frozen; get got gotten; give gave given; go went gone; grow grew grown; hang hung; hear
heard; hide hid hidden; hold held; keep kept; kneel knelt; know knew known; lay laid; lead led; leap
leapt; learn learnt; leave left; lend lent; light lit; lose lost; make made; mean meant; meet met;
mislead misled; mistake mistook mistaken; outgrow outgrew; overcome overcame; oversee oversaw
overseen; overtake overtook overtaken; overthrow overthrew overthrown; pay paid; prove proven;
rebuild rebuilt; ride rode ridden; ring rang rung; rise rose risen; run ran; say said; see saw seen;
seek sought; sell sold; send sent; shake shook shaken; shine shone; shoot shot; show shown; shrink
shrank shrunk; sing sang sung; sink sank sunk; sit sat; slay slew slain; sleep slept; slide slid;
speak spoke spoken; speed sped; spend spent; spin spun; spring sprang sprung; stand stood; steal
stole stolen; stick stuck; sting stung; strike struck stricken; strive strove; swear swore sworn;
sweep swept; swell swollen; swim swam swum; swing swung; take took taken; teach taught; tear tore
torn; tell told; think thought; throw threw thrown; tread trod trodden; undergo underwent undergone;
understand understood; undertake undertook undertaken; uphold upheld; wake woke woken; wear wore
worn; weave wove woven; weep wept; win won; withdraw withdrew withdrawn; withhold withheld;
withstand withstood; write wrote written;
child children; foot feet; goose geese; half halves; knife knives; man men; mouse mice; shelf
shelves; thief thieves; tooth teeth; wife wives; wolf wolves; woman women
"""

# Form → what it is a form of; both folded, as in rag/text/terms.py.
BASE_FORM = {
    form: base
    for base, *forms in (listed.split() for listed in _FORMS.split(";"))
    for form in forms
}

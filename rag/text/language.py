"""Which language a text is in, as far as is needed to say that a question and the articles differ.

By script, and among Latin ones by the short words that only one of these languages is full of. A
question is too short for what statistical detectors need, and a wrong "this is Dutch" is worse than
none: a language is named only for two or more of its short words, without any that is English only.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from rag.text.terms import fold

SCRIPTS = {
    "CJK": "Chinese or Japanese characters",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
}

# As they are once folded (rag/text/terms.py); words that English has too are left out.
FUNCTION_WORDS = {
    "English": "the of and what who whom whose which when where why how are was were did does have "
    "for with by from about that this these those there than be been will would could should it "
    "its his their they she you my your at as",
    "Spanish": "el los las del que quien quienes cual cuales cuando donde como cuanto cuantos "
    "cuantas por para con una fue es esta son han ha segun sobre y sus",
    "French": "le les des du qui que quoi quel quelle quels quelles quand ou comment pourquoi "
    "combien est sont etait dans pour avec par sur une au aux ont et selon d'une c'est qu'est",
    "German": "der das den dem ein eine einen einem wer wie wo wann warum welche welcher welches "
    "wurde wurden ist sind nach mit von fur uber und hat haben bei zum zur nicht auf gegen",
    "Italian": "il lo gli della delle dei degli nel nella che chi quale quali quando dove come "
    "perche quanto quanti per con sono stato stata ha hanno secondo",
    "Portuguese": "os das dos uma um que quem qual quais quando onde como quanto quantos por "
    "para com foi sao esta tem nao na no segundo e",
    "Dutch": "het een wie waar wanneer waarom hoe welke wat zijn werd worden heeft hebben van voor "
    "met door naar bij niet en aan",
    "Swedish": "vem vad nar varfor hur vilken vilket vilka ar och det som den har hade blev "
    "for med av pa till inte ett",
    "Polish": "kto co gdzie kiedy dlaczego jak jaki jaka jakie ile czy jest sa był była przez dla "
    "nie z na sie ktory ktora",
    "Turkish": "kim ne nerede neden nasıl hangi kac mı mu ve bir bu icin ile gore olan oldu olarak",
    "Indonesian": "siapa apa mana kapan mengapa bagaimana berapa yang di dan dari untuk dengan "
    "pada adalah oleh itu ini tidak",
}
_WORD_SETS = {name: frozenset(listed.split()) for name, listed in FUNCTION_WORDS.items()}


def language_of(text: str) -> str | None:
    """Return "English", another language or script that most of the text is in, or None."""
    scripts = Counter(unicodedata.name(c, "?").split()[0] for c in text if c.isalpha())
    others = [(count, script) for script, count in scripts.items() if script != "LATIN"]
    if 2 * sum(count for count, _ in others) > scripts.total():
        script = "HIRAGANA" if "HIRAGANA" in scripts else max(others)[1]
        return SCRIPTS.get(script, f"the {script.title()} script")
    tokens = re.findall(r"[^\W\d_]+", text)
    # "Los Angeles" is a name in any language, the first word is capitalised in all of them.
    folded = [fold(word) for n, word in enumerate(tokens) if word[0].islower() or not n]
    counts = {name: sum(word in listed for word in folded) for name, listed in _WORD_SETS.items()}
    if counts["English"]:
        return "English"
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] >= 2 else None


def foreign_language(question: str, texts: Iterable[str]) -> str | None:
    """Return the language of a question that is neither English nor that of the texts."""
    language = language_of(question)
    if language in {None, "English"}:
        return None
    return language if language_of("\n".join(texts)) != language else None

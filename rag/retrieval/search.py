"""A follow-up is completed from the conversation: "And in 2023?", "Who said that?", "Why?".

No language model: the form of the question decides what of the last turns completes it. The bare
question is searched too, and each sentence is scored for both, so that a change of topic is not
trapped in the old one (a linear combination of runs, after Vogt and Cottrell 1999, "Fusion via a
linear combination of scores").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rag.config import Config
from rag.index.index import Index
from rag.models.encoder import Encoder
from rag.retrieval.ranking import (
    Candidate,
    Query,
    candidates_of,
    find_candidates,
    find_passages,
    make_query,
    ranked,
)
from rag.text.names import names
from rag.text.numbers import numbers
from rag.text.terms import STOPWORDS, content_terms, stem, words
from rag.types import Turn

SEEN = 5  # best sentences that are looked at for words of the question
TURNS = 6  # most of the last turns that are looked at
QUESTION_CHARACTERS, ANSWER_CHARACTERS = (
    300,
    140,
)  # most characters of an earlier question, and of the last answer
RARE = 4  # of the last answer's rarest words, where they complete a question
FEW_OWN_WORDS = 2  # a question with no more takes the beginning of the last answer itself
CANDIDATES = 15  # passages by each of four searches; one question alone has 20 by each of two
# What the completed question counts in a score, by how much the bare one says for itself. By hand;
# benchmarks/results/followups.md has what others reach.
SHARE, SHARE_OF_EMPTY = 0.4, 0.8
# A sentence that the last answer said already is not what is asked for next: it loses this much
# score for the share of its terms that the answer has, beyond FRESH.
REPEATED, FRESH = 0.4, 0.4

# Words that ask for more without saying of what.
EMPTY = frozenset(
    """
    again another anything bit continue detail details else elaborate example examples exactly
    explain further give go happened happen info information know like mean more next one ones
    please said say says see something tell think thing things understand really sure ok okay
    yes no thanks thank want wanted look like heard much many long often just still only let get
    """.split()
)
# Opens what is put in the place of its like in the question before, if it asks nothing itself.
OPENS = re.compile(r"^(?:and|but|or|so|(?:what|how) (?:about|of))\b", re.IGNORECASE)
ASKS = re.compile(
    r"\b(?:who|whom|whose|what|when|where|why|how|which|is|are|was|were|do|does|did|has|have|had"
    r"|can|could|will|would|should|may|might|must)\b",
    re.IGNORECASE,
)
# An answer that says only that there is none, or is polite.
NO_ANSWER = re.compile(
    r"^\W*(?:(?:i (?:am |'m )?|i[’']m )?(?:sorry|afraid)|unfortunately|not found"
    r"|you(?:[’']re| are) welcome"
    r"|i (?:do not|don[’']t|did not|didn[’']t|could not|couldn[’']t|cannot|can[’']t|have no)"
    r"|(?:the|these) (?:articles|documents|sentences) (?:do not|don[’']t|that come)"
    r"|nothing in them|they do not mention|no answer could|the question seems)\b",
    re.IGNORECASE,
)
MARKER = re.compile(r"\[\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question and what the conversation adds to it."""

    question: str
    previous: str  # the question that it follows on
    text: str  # the question, completed by it and by the last answer
    share: float  # of the completed question's score in a sentence's, 0..1
    answered: frozenset[str]  # terms of the last answer, which the next one need not repeat


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found for a question."""

    query: Query  # bare: what the conversation lends it is no sign that it is answered
    best: list[Candidate]  # best first, scored for both forms of a follow-up
    previous: str = ""  # the question that this one follows on


def follow_up(
    question: str, history: Sequence[Turn], weight: Callable[[str], float]
) -> FollowUp | None:
    """Return the question with what the conversation adds, or None when it adds nothing.

    ``weight``: how rare a term is in the articles; 0 for one that none has.
    """
    turns = [(turn.role, _plain(turn.text)) for turn in history[-TURNS:]]
    before = [text[:QUESTION_CHARACTERS] for role, text in turns if role == "user" and text]
    if not before:
        return None
    # "Thanks." was not a question: the one before it is meant.
    previous = next((text for text in reversed(before) if _own(text)), before[-1])
    answer = turns[-1][1] if turns[-1][0] == "assistant" else ""
    answer = "" if NO_ANSWER.match(answer) else answer
    own = _own(question)
    if _stands_in(question):
        text, share = f"{_without_what_is_replaced(previous, question)} {question}", SHARE_OF_EMPTY
    elif len(own) <= FEW_OWN_WORDS:
        text, share = f"{previous} {_cut(answer)} {question}", SHARE if own else SHARE_OF_EMPTY
    else:
        text, share = f"{previous} {' '.join(_rare(answer, question, weight))} {question}", SHARE
    answered = frozenset(content_terms(answer)) if own else frozenset()
    return FollowUp(question, previous, " ".join(text.split()), share, answered)


def _plain(text: str) -> str:
    """Return the beginning of a turn on one line, without markers and what cannot be encoded."""
    clean = (
        text[: 4 * QUESTION_CHARACTERS]
        .encode("utf-8", "replace")
        .decode("utf-8")
        .replace("\0", " ")
    )
    return " ".join(MARKER.sub(" ", clean).split())


def _own(text: str) -> set[str]:
    """Return the words by which a question says what it is about."""
    return {word for word in words(text) if word not in STOPWORDS and word not in EMPTY}


def _stands_in(question: str) -> bool:
    """Return whether it only names what to put into the question before: "And in 2023?"."""
    opening = OPENS.match(question)
    if opening is None or not _own(question):
        return False
    return not ASKS.search(question, opening.end())


def _without_what_is_replaced(previous: str, question: str) -> str:
    """Return the question before without its names, if this one has a name, and its numbers, if
    this one has a number.
    """
    gone: set[str] = set()
    if names(question):
        gone.update(word for run in names(previous) for word in run)
    if numbers(question):
        gone.update(word for word in words(previous) if word[:1].isdigit())
    return " ".join(word for word in previous.split() if not gone.intersection(words(word)))


def _rare(answer: str, question: str, weight: Callable[[str], float]) -> list[str]:
    """Return the words of an answer that say best what it is about, and the question has not."""
    question_terms = set(content_terms(question))
    new = {
        stem(w): w for w in words(answer) if w not in STOPWORDS and stem(w) not in question_terms
    }
    weighed = sorted(((weight(term), word) for term, word in new.items()), reverse=True)
    return [word for value, word in weighed[:RARE] if value > 0]


def _cut(text: str) -> str:
    return text if len(text) <= ANSWER_CHARACTERS else text[:ANSWER_CHARACTERS].rpartition(" ")[0]


def find(
    question: str,
    history: Sequence[Turn],
    index: Index,
    encoder: Encoder,
    config: Config,
    date: str | None = None,
) -> Findings:
    """Return what is found for a question, for both its forms where it is a follow-up."""
    extended = follow_up(question, history, lambda term: _weight(term, index))
    if extended is None:
        query = make_query(question, index, encoder, date)
        return Findings(query, ranked(find_candidates(query, index, config)))
    vectors = encoder.encode_texts([question, extended.text])  # (2, dim), in one pass
    bare = make_query(question, index, encoder, date, vectors[0])
    whole = make_query(extended.text, index, encoder, date, vectors[1])
    whole = replace(whole, wants=bare.wants or (whole.wants if _stands_in(question) else None))
    k = min(config.candidates, CANDIDATES)
    key_lists = [keys for query in (bare, whole) for keys in find_passages(query, index, k)]
    keys = list(dict.fromkeys(chain.from_iterable(key_lists)))
    pairs = zip(candidates_of(bare, index, keys), candidates_of(whole, index, keys), strict=True)
    best = ranked(_blended(one, other, extended) for one, other in pairs)
    return Findings(bare, best, extended.previous)


def _weight(term: str, index: Index) -> float:
    return index.lexical.idf(term) if index.lexical.frequency(term) else 0.0


def _blended(bare: Candidate, whole: Candidate, extended: FollowUp) -> Candidate:
    """Return a sentence scored for both questions: scores are linear in the features."""
    features = (1 - extended.share) * bare.features + extended.share * whole.features
    lowered = 0.0
    if extended.answered and (terms := set(content_terms(bare.quote))):
        repeated = len(terms & extended.answered) / len(terms)
        lowered = REPEATED * max(0.0, repeated - FRESH)
    return replace(bare, features=features, lowered=lowered)


def is_off_topic(question: str, term_lists: Sequence[Sequence[str]]) -> bool:
    """Return whether a question has words of its own, and the best sentences' terms none of them:
    these then answer the question before, not this one.
    """
    own = {stem(word) for word in words(question) if word not in EMPTY} & {*content_terms(question)}
    return len(own) >= 2 and all(own.isdisjoint(terms) for terms in term_lists[:SEEN])

"""Draft → claims → verified citations.

A claim is a sentence of the draft. Which evidence sentence it rests on is decided by support; the
number that the model wrote is only a hint. What fails its check is replaced by the best supporting
sentence itself, quoted, or dropped.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from rag.answering.draft import DraftSentence, says_yes_or_no, without_wrong_yes
from rag.retrieval.question import is_polar
from rag.text.injection import addresses_model
from rag.text.terms import STOPWORDS, content_terms, stem, words
from rag.text.untrusted import without_markers
from rag.types import Citation, Claim, ClaimVerified, Evidence, Repair, Verdict
from rag.verification.dates import with_dates
from rag.verification.problem import Problem
from rag.verification.verifiers import Check, Verifier

HINT = 0.1  # what the model's own number is worth, in units of support
PROBLEM = 0.1  # what each thing that a sentence does not say takes away
RANK = 0.2  # what the retrieval score is worth
FRAGMENT = 4  # words; a shorter answer is replaced by the sentence that holds it
UNKNOWN = 2.0  # weight of a term that no evidence holds; the rarest that is held has about 2.2
NEW = 1.5  # how much more a term counts that the question does not have
TIED = 0.15  # candidates this close to the best are tried when the best fails
SECOND = 0.35  # least support of a second sentence by itself
GAIN = 0.15  # support that a second sentence must add to be cited too
RELATED = 0.34  # least support of a sentence that is quoted in a failed claim's place
TRIED = 3  # candidates that are tried

PRONOUN = re.compile(
    r"\b(?:he|she|it|they|his|her|its|their|him|them|we|our|i|my|this|these|that|those|"
    r"the (?:company|group|agency|alliance|country|city|team|president|minister|spokes\w+))\b",
    re.IGNORECASE,
)
TWO_PARTS = re.compile(
    r"\b(?:and|but|while|whereas|as well as|both)\b|;"
)  # two things in one claim
LOOKED_BACK = 12  # sentences that are looked back for what a pronoun or a surname refers to


@dataclass
class Citer:
    """Verifies the sentences of one draft, one after the other, and numbers their citations."""

    question: str
    evidence: Sequence[Evidence]  # the first ones as they were numbered in the prompt
    verifier: Verifier
    before: Callable[[Evidence], Iterable[Evidence]]  # earlier sentences, the nearest first
    # Whether a sentence is quoted in the place of a claim that fails: not when the question names
    # what no article mentions, since then the nearest sentence is about something else.
    repairs: bool = True
    previous: str = ""  # the question that this one follows on
    claims: list[Claim] = field(default_factory=list)
    citations: dict[tuple[str, int, int], Citation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        question = f"{self.previous} {self.question}"
        self._question_terms = set(content_terms(question))
        self._question_words = frozenset(words(question))
        self._weights = term_weights(self.evidence)

    def add(self, sentence: DraftSentence) -> ClaimVerified | None:
        """Return the claim that a sentence of the draft becomes, or None when it is dropped.

        A first claim whose sentence has no word of the question, as has one that obeys an order in
        an article, gives way to the sentence that fits the question best.
        """
        claim = self._verified(sentence)
        if claim and len(self.claims) == 1 and self._off_topic(claim):
            self.claims.clear()
            self.citations.clear()
            return self.quote(self.evidence[0], repair="quoted")
        return claim

    def _off_topic(self, claim: ClaimVerified) -> bool:
        """Return whether the sentences that a claim rests on have no word of the question, though
        the best one has.
        """

        def on_topic(quote: str) -> bool:
            return not self._question_terms.isdisjoint(content_terms(quote))

        cited = [c.quote for c in self.citations.values() if c.number in claim.claim.citations]
        best = self.evidence[0].quote if self.evidence else ""
        return on_topic(best) and not any(map(on_topic, cited))

    def _verified(self, sentence: DraftSentence) -> ClaimVerified | None:
        if exact := self._holding(sentence, whole=True):
            return self.quote(exact[0])
        if len(words(sentence.text)) <= FRAGMENT:
            # "12,000." is no claim that could be checked: the sentence that holds it is.
            if holding := self._holding(sentence):
                return self.quote(holding[0], repair="quoted")
            if not self._literally_held(sentence.text):
                return None
        sentence = replace(sentence, text=without_wrong_yes(sentence.text))
        if not self._new(sentence.text) and not is_polar(self.question):
            return None  # says nothing that the question does not
        ranked = self._ranked(sentence)
        if sentence.finished:
            for sources in self._attempts(sentence.text, ranked):
                check = self._check(sentence.text, sources)
                if check.passed and any(addresses_model(source.quote) for source in sources):
                    # An order, asked about: never our own words.
                    return self.quote(sources[0], repair="quoted")
                if check.passed:
                    repair: Repair | None = None if self._named(sentence, sources) else "cited"
                    return self._publish(sentence.text, sources, check.support, repair=repair)
        if not ranked or not self.repairs:
            return None
        for evidence, score in ranked:
            if score >= RELATED and self._answers(sentence.text, evidence):
                return self.quote(evidence, repair="quoted")
        if is_polar(self.question) and says_yes_or_no(sentence.text) and 1 in sentence.hints[:1]:
            # Model and retrieval chose the same sentence.
            return self.quote(self.evidence[0], repair="quoted")
        return None

    def _named(self, sentence: DraftSentence, sources: Sequence[Evidence]) -> bool:
        """Return whether the draft's own numbers are of these sources and of no others."""
        numbers = {n for n, evidence in enumerate(self.evidence, 1) if evidence in sources}
        return set(sentence.hints) == numbers and len(numbers) == len(sources)

    def _new(self, text: str) -> set[str]:
        """Return the terms of a claim that are not the question's: its answer."""
        return set(content_terms(text)) - self._question_terms - {"yes"}

    def _answers(self, text: str, evidence: Evidence) -> bool:
        """Return whether the sentence holds what a failed claim answers, not only its subject.

        When it holds all of that, what the question brought along (a day, "at least six") may
        stand elsewhere.
        """
        new = self._new(text)
        if not new:
            return True
        source_terms = set(content_terms(evidence.quote))
        weights = {term: self._weights.get(term, UNKNOWN) for term in new}
        wrong = any(
            problem.kind in {"number", "date"}
            and not (new <= source_terms and self._brought(problem))
            for problem in self._check(text, [evidence]).problems
        )
        return not wrong and (
            sum(w for term, w in weights.items() if term in source_terms)
            >= sum(weights.values()) / 2
        )

    def _brought(self, problem: Problem) -> bool:
        """Return whether it is a number or a date that the question has, too."""
        in_question = set(words(problem.text)) <= self._question_words
        return problem.kind in {"number", "date"} and in_question

    def _holding(self, sentence: DraftSentence, *, whole: bool = False) -> list[Evidence]:
        """Return the evidence that holds these words one after the other, the model's own choice
        first; ``whole``: and no others.
        """
        claim = f" {' '.join(words(sentence.text))} "
        chosen = [self.evidence[n - 1] for n in sentence.hints if 1 <= n <= len(self.evidence)]
        texts = {e: f" {' '.join(words(e.quote))} " for e in [*chosen, *self.evidence]}
        return [e for e, text in texts.items() if claim == text or (claim in text and not whole)]

    def _literally_held(self, text: str) -> bool:
        """Return whether one sentence holds what is new in a claim, in the same forms: "trained"
        does not say "by train".
        """
        new = {
            word for word in words(text) if word not in STOPWORDS and stem(word) in self._new(text)
        }
        return any(new <= set(words(evidence.quote)) for evidence in self.evidence)

    def _ranked(self, sentence: DraftSentence) -> list[tuple[Evidence, float]]:
        """Return the evidence with how well it supports the sentence, best first."""
        scored = []
        for number, evidence in enumerate(self.evidence, start=1):
            check = self._check(sentence.text, [evidence])
            score = check.support - PROBLEM * len(check.problems)
            score += HINT * (number in sentence.hints) + RANK * evidence.score
            scored.append((evidence, score))
        return sorted(scored, key=lambda pair: -pair[1])

    def _check(self, text: str, sources: Sequence[Evidence]) -> Check:
        quotes = [with_dates(source.quote, source.published) for source in sources]
        titles = dict.fromkeys(s.title for s in sources if not addresses_model(s.title))
        title = " ".join(titles)
        weights = {
            term: self._weights.get(term, UNKNOWN) * (1 if term in self._question_terms else NEW)
            for term in content_terms(text)
        }
        return self.verifier.check(text, quotes, title, weights)

    def _attempts(
        self, text: str, ranked: Sequence[tuple[Evidence, float]]
    ) -> Iterator[list[Evidence]]:
        """Yield what the claim may rest on: one sentence, else one with what it refers to, else
        two.
        """
        near = [e for e, score in ranked[:TRIED] if score >= ranked[0][1] - TIED]
        yield from ([evidence] for evidence in near)
        for evidence in near:
            if antecedent := self._antecedent(text, evidence):
                yield [evidence, antecedent]
        for first in near[:1] if TWO_PARTS.search(text) else ():
            alone = self._check(text, [first])
            for second, _ in ranked[1:]:
                if self._check(text, [second]).support < SECOND:
                    continue  # it would only lend a date or a name
                joint = self._check(text, [first, second])
                fewer = len(joint.problems) < len(alone.problems)
                if fewer or joint.support >= alone.support + GAIN:
                    yield [first, second]

    def _antecedent(self, text: str, evidence: Evidence) -> Evidence | None:
        """Return the nearest earlier sentence that names what a pronoun or a bare surname in the
        evidence refers to, or has the year that the question gives ("the 1994 earthquake").
        """
        problems = self._check(text, [evidence]).problems
        if not problems or not all(p.kind == "name" or self._brought(p) for p in problems):
            return None
        for earlier in islice(self.before(evidence), LOOKED_BACK):
            linked = PRONOUN.search(evidence.quote) or _share_name(evidence.quote, earlier.quote)
            if not linked or addresses_model(earlier.quote):
                continue
            if not self._check(text, [evidence, earlier]).problems:
                return earlier
        return None

    def quote(self, evidence: Evidence, *, repair: Repair | None = None) -> ClaimVerified | None:
        """Return an evidence sentence itself as a claim, or None when it has been quoted.

        ``repair``: "quoted" when it stands in the place of what the draft says.
        """
        cited = self.citations.get((evidence.article, evidence.start, evidence.end))
        if cited and any(
            claim.verdict == "quoted" and claim.citations == (cited.number,)
            for claim in self.claims
        ):
            return None
        # Footnote marks of the article itself would read like ours; the citation keeps them.
        text = without_markers(evidence.quote)
        if not re.search(r"\w", text):
            return None
        return self._publish(text, [evidence], 1.0, quoted=True, repair=repair)

    def _publish(
        self,
        text: str,
        sources: Sequence[Evidence],
        support: float,
        *,
        quoted: bool = False,
        repair: Repair | None = None,
    ) -> ClaimVerified | None:
        if any(claim.text == text for claim in self.claims):
            return None
        numbers, introduced = [], []
        for source in sources:
            key = (source.article, source.start, source.end)
            if key not in self.citations:
                self.citations[key] = Citation(
                    len(self.citations) + 1,
                    source.article,
                    source.title,
                    source.published,
                    source.start,
                    source.end,
                    source.quote,
                    support,
                    source.also_in,
                    source.page,
                    source.url,
                )
                introduced.append(self.citations[key])
            numbers.append(self.citations[key].number)
        verdict: Verdict = "quoted" if quoted else "supported"
        claim = Claim(text, tuple(numbers), verdict, support, repair)
        self.claims.append(claim)
        return ClaimVerified(claim, tuple(introduced))


def _share_name(one: str, other: str) -> bool:
    pattern = r"(?<!^)(?<![\"“.] )\b[A-Z][\w’'-]{2,}"
    return bool(set(re.findall(pattern, one)) & set(re.findall(pattern, other)))


def term_weights(evidence: Sequence[Evidence]) -> Mapping[str, float]:
    """Return an inverse document frequency of each term over the evidence sentences: what all of
    them say does not tell them apart.
    """
    frequency = Counter(term for e in evidence for term in set(content_terms(e.quote)))
    total = len(evidence)
    return {t: 0.2 + math.log(1 + (total - f + 0.5) / (f + 0.5)) for t, f in frequency.items()}

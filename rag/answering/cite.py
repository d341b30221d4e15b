"""Draft → claims → verified citations.

A claim is a sentence of the draft. Which evidence sentence it rests on is decided by its words; the
number that the model wrote is only a hint. Its own wording is shown where that sentence says it;
else the sentence itself is quoted, or the claim is dropped.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from rag.answering.draft import DraftSentence, says_yes_or_no, without_yes_or_no
from rag.retrieval.question import has_parts, is_polar
from rag.text.injection import addresses_model
from rag.text.terms import STOPWORDS, content_terms, stem, words
from rag.text.untrusted import without_markers
from rag.types import Citation, Claim, ClaimVerified, Evidence, Repair, Verdict
from rag.verification.literal import affirms
from rag.verification.verifiers import Verifier

HINT = 0.1  # what the model's own number is worth, in units of recall
RANK = 0.2  # what the retrieval score is worth
FRAGMENT = 4  # words; a shorter answer is replaced by the sentence that holds it
UNKNOWN = 2.0  # weight of a term that no evidence holds; the rarest that is held has about 2.2
NEW = 1.5  # how much more a term counts that the question does not have
HELD = 0.5  # least share of what a claim adds to the question that a sentence quoted for it holds
TRIED = 3  # sentences that a claim may rest on


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
        self._question_terms = set(content_terms(f"{self.previous} {self.question}"))
        self._weights = term_weights(self.evidence)

    def add(self, sentence: DraftSentence) -> Iterator[ClaimVerified]:
        """Yield the claims that a sentence of the draft becomes; none when it is dropped.

        A first claim whose sentence has no word of the question, as has one that obeys an order in
        an article, gives way to the sentence that fits the question best.
        """
        for claim in self._verified(sentence):
            if len(self.claims) == 1 and self._off_topic(claim):
                self.claims.clear()
                self.citations.clear()
                yield from self._quoted(self.evidence[0], repair="quoted")
                return
            yield claim

    def yes_or_no(self) -> ClaimVerified | None:
        """Return the sentence that says or denies what a yes-or-no question asks, after a Yes or
        No; None where none of the best does.
        """
        for evidence in self.evidence[:TRIED]:
            if not addresses_model(evidence.quote) and self._yes_or_no(evidence):
                return self.quote(evidence)
        return None

    def first_answer(self) -> ClaimVerified | None:
        """Return the best sentence as a claim, which is not kept, if the reader found an answer in
        it.
        """
        best = self.evidence[0]
        if best.answer is None or not self.repairs or addresses_model(best.quote):
            return None
        return replace(self, claims=[], citations={}).quote(best)

    def _off_topic(self, claim: ClaimVerified) -> bool:
        """Return whether the sentences that a claim rests on have no word of the question, though
        the best one has.
        """

        def on_topic(quote: str) -> bool:
            return not self._question_terms.isdisjoint(content_terms(quote))

        cited = [c.quote for c in self.citations.values() if c.number in claim.claim.citations]
        best = self.evidence[0].quote if self.evidence else ""
        return on_topic(best) and not any(map(on_topic, cited))

    def _verified(self, sentence: DraftSentence) -> Iterator[ClaimVerified]:
        text = without_yes_or_no(sentence.text)
        if exact := self._holding(sentence, text, whole=True):
            yield from self._quoted(exact[0])
            return
        if len(words(text)) <= FRAGMENT:
            # "12,000." is no claim that could be checked: the sentence that holds it is.
            holding = self._holding(sentence, text)
            if not holding and self._polar(sentence) and sentence.hints:
                holding = self._hinted(sentence)  # "Yes [1]"
            holding = holding or self._with_new_words(text)
            if holding:
                yield from self._quoted(holding[0], repair="quoted")
            return
        is_said = any(claim.text == text for claim in self.claims)
        if is_said or not (self._new(text) or is_polar(self.question)):
            return  # says nothing that the question, or a claim before it, does not
        ranked = self._ranked(text, sentence.hints)
        if sentence.finished and (claim := self._supported(sentence, text, ranked)):
            yield claim
        elif self.repairs:
            yield from self._instead(sentence, text, ranked)

    def _polar(self, sentence: DraftSentence) -> bool:
        return is_polar(self.question) and says_yes_or_no(sentence.text)

    def _hinted(self, sentence: DraftSentence) -> list[Evidence]:
        return [self.evidence[n - 1] for n in sentence.hints if 1 <= n <= len(self.evidence)]

    def _supported(
        self, sentence: DraftSentence, text: str, ranked: Sequence[Evidence]
    ) -> ClaimVerified | None:
        """Return the claim in its own words, where a sentence says it."""
        for evidence in ranked[:TRIED]:
            before = [e for e in islice(self.before(evidence), 1) if not addresses_model(e.quote)]
            for sources in ([evidence], [evidence, *before])[: 1 + len(before)]:
                earlier = [source.quote for source in sources[1:]]
                check = self.verifier.check(text, evidence.quote, earlier)
                if not check.passed:
                    continue
                if addresses_model(evidence.quote):
                    # An order, asked about: never our own words.
                    return next(self._quoted(evidence, repair="quoted"), None)
                hinted = self._hinted(sentence)
                repair: Repair | None = None if hinted == [evidence] else "cited"
                if opening := self._yes_or_no(evidence, earlier):
                    text = f"{opening}, {sentence.text[-len(text) :]}"
                return self._publish(text, sources, check.support, repair=repair)
        return None

    def _instead(
        self, sentence: DraftSentence, text: str, ranked: Sequence[Evidence]
    ) -> Iterator[ClaimVerified]:
        """Yield the sentence that holds most of what a failed claim answers; of a question in
        parts, a second one too that holds the rest.
        """
        new = self._new(text)
        total = sum(map(self._weight, new))
        for evidence in ranked:
            held = new.intersection(content_terms(evidence.quote))
            if sum(map(self._weight, held)) < HELD * total:
                continue
            yield from self._quoted(evidence, repair="quoted")
            missing = new - held
            for second in ranked if missing and has_parts(self.question) else ():
                if len(missing.intersection(content_terms(second.quote))) > len(missing) / 2:
                    yield from self._quoted(second, repair="quoted")
                    return
            return
        if self._polar(sentence) and 1 in sentence.hints[:1]:
            # Model and retrieval chose the same sentence.
            yield from self._quoted(self.evidence[0], repair="quoted")

    def _yes_or_no(self, evidence: Evidence, before: Sequence[str] = ()) -> str:
        """Return "Yes" or "No" where the sentence says or denies what a question asks."""
        said = affirms(self.question, evidence.quote, before)
        return "" if said is None else "Yes" if said else "No"

    def _new(self, text: str) -> set[str]:
        """Return the terms of a claim that are not the question's: its answer."""
        return set(content_terms(text)) - self._question_terms

    def _weight(self, term: str) -> float:
        weight = self._weights.get(term, UNKNOWN)
        return weight if term in self._question_terms else NEW * weight

    def _holding(
        self, sentence: DraftSentence, text: str, *, whole: bool = False
    ) -> list[Evidence]:
        """Return the evidence that holds these words one after the other, the model's own choice
        first; ``whole``: and no others.
        """
        claim = f" {' '.join(words(text))} "
        if not claim.strip():
            return []
        texts = {
            e: f" {' '.join(words(e.quote))} " for e in [*self._hinted(sentence), *self.evidence]
        }
        return [e for e, text in texts.items() if claim == text or (claim in text and not whole)]

    def _with_new_words(self, text: str) -> list[Evidence]:
        """Return the evidence with what is new in a claim, in the same forms: "trained" does not
        say "by train".
        """
        new = {w for w in words(text) if w not in STOPWORDS and stem(w) in self._new(text)}
        return [e for e in self.evidence if new and new <= set(words(e.quote))]

    def _ranked(self, text: str, hints: Sequence[int]) -> list[Evidence]:
        """Return the evidence, best first, by how much of the claim it holds."""
        claim = {term: self._weight(term) for term in content_terms(text)}
        total = sum(claim.values()) or 1.0

        def score(numbered: tuple[int, Evidence]) -> float:
            number, evidence = numbered
            held = sum(claim.get(term, 0.0) for term in set(content_terms(evidence.quote)))
            return held / total + HINT * (number in hints) + RANK * evidence.score

        ranked = sorted(enumerate(self.evidence, start=1), key=score, reverse=True)
        return [evidence for _, evidence in ranked]

    def quote(self, evidence: Evidence, *, repair: Repair | None = None) -> ClaimVerified | None:
        """Return an evidence sentence itself as a claim, or None when it has been quoted.

        ``repair``: "quoted" when it stands in the place of what the draft says.
        """
        return next(self._quoted(evidence, repair=repair), None)

    def _quoted(
        self, evidence: Evidence, *, repair: Repair | None = None
    ) -> Iterator[ClaimVerified]:
        cited = self.citations.get((evidence.article, evidence.start, evidence.end))
        # Footnote marks of the article itself would read like ours; the citation keeps them.
        text = without_markers(evidence.quote)
        number = cited and cited.number
        repeats = any(c.citations == (number,) and c.text.endswith(text) for c in self.claims)
        if repeats or not re.search(r"\w", text):
            return
        if opening := self._yes_or_no(evidence):
            text = f"{opening}. {text}"
        claim = self._publish(text, [evidence], 1.0, quoted=not opening, repair=repair)
        if claim:
            yield claim

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
                    source.answer,
                )
                introduced.append(self.citations[key])
            numbers.append(self.citations[key].number)
        verdict: Verdict = "quoted" if quoted else "supported"
        claim = Claim(text, tuple(numbers), verdict, support, repair)
        self.claims.append(claim)
        return ClaimVerified(claim, tuple(introduced))


def term_weights(evidence: Sequence[Evidence]) -> Mapping[str, float]:
    """Return an inverse document frequency of each term over the evidence sentences: what all of
    them say does not tell them apart.
    """
    frequency = Counter(term for e in evidence for term in set(content_terms(e.quote)))
    total = len(evidence)
    return {t: 0.2 + math.log(1 + (total - f + 0.5) / (f + 0.5)) for t, f in frequency.items()}

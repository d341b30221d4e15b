"""The ways to make a correct claim wrong, by name. Which of several places is changed is chance."""

from __future__ import annotations

from benchmarks.verification import perturb_numbers as in_numbers
from benchmarks.verification import perturb_others as of_others
from benchmarks.verification import perturb_relations as in_relations
from benchmarks.verification import perturb_words as in_words
from benchmarks.verification.perturb_base import Perturbation

KINDS: dict[str, Perturbation] = {
    "number in digits": in_numbers.digits,
    "number in words": in_numbers.number_word,
    "end of a range": in_numbers.range_end,
    "bound reversed (at least → at most)": in_numbers.reversed_bound,
    "approximate → exactly": in_numbers.exactly,
    "bound dropped (up to 50 → 50)": in_numbers.bound_dropped,
    "about dropped (about 50 → 50)": in_numbers.about_dropped,
    "percent ↔ percentage points": in_numbers.percent_points,
    "currency": in_numbers.currency,
    "magnitude": in_numbers.magnitude,
    "unit": in_numbers.unit,
    "ordinal": in_numbers.ordinal,
    "day of a date": in_numbers.day,
    "month": in_numbers.month,
    "year": in_numbers.year,
    "weekday": in_numbers.weekday,
    "relative date": in_numbers.relative,
    "another name": in_words.other_name,
    "first name": in_words.first_name,
    "initial": in_words.initial,
    "title changed": in_words.title_changed,
    "title moved": in_words.title_moved,
    "negation inserted": in_words.negated,
    "negation removed": in_words.affirmed,
    "modality removed": in_words.unmodal,
    "certainty added": in_words.certain,
    "attribution removed": in_words.plain,
    "attribution verb (denied → said)": in_words.other_verb,
    "attributed to another": in_words.other_speaker,
    "subject ↔ object, names": in_words.swapped_names,
    "subject ↔ object, nouns": in_words.swapped_nouns,
    "before ↔ after": in_relations.before_after,
    "quantifier (some, most → all; all → only some)": in_relations.quantifier,
    "more ↔ less, rose ↔ fell, older ↔ younger": in_relations.comparison,
    "from X to Y → from Y to X": in_relations.from_to,
    "score (3-1 → 1-3)": in_relations.score,
    "winner ↔ loser (beat → lost to)": in_relations.winner,
    "converse (sold ↔ bought, lender ↔ borrower)": in_relations.converse,
    "cause ↔ effect": in_relations.cause,
    "months of two dates exchanged": in_relations.months_exchanged,
    "two years exchanged": in_relations.years_exchanged,
    "two numbers exchanged": in_relations.numbers_exchanged,
    "deed of another in the sentence": of_others.deed_in_sentence,
    "deed of another in the sentence beside it": of_others.deed_of_neighbour,
    "number of another, beside it": of_others.number_of_neighbour,
    "date of another, beside it": of_others.date_of_neighbour,
    "place of another, beside it": of_others.place_of_neighbour,
    "name of the title": of_others.title_name,
    "name of the title, after “Yes,”": of_others.title_name_after_yes,
}

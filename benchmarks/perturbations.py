"""The ways to make a correct claim wrong, by name. Which of several places is changed is chance."""

from __future__ import annotations

import perturb_numbers as in_numbers
import perturb_words as in_words
from perturb_base import Perturbation

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
    "date against publication date": in_numbers.published,
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
}

"""Names are found, and known again in other forms."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from rag.text.names import acronyms, has_form, missing_names, names, same_name
from rag.text.terms import stem


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("russia", "russian", True),
        ("korea", "koreans", True),
        ("china", "chinese", False),  # irregular
        ("iran", "iraq", False),
        ("malta", "malawi", False),
        ("north", "northern", False),
        ("germany", "germans", True),
        ("ukraine", "ukrainian", True),
        ("lisk", "lisks", True),
        ("cub", "cubs", True),  # the same stem
        ("ann", "annan", False),  # too short to have an ending
        ("struck", "strike", True),
        ("", "s", False),
    ],
)
def test_same_name(one: str, other: str, *, same: bool) -> None:
    assert same_name(one, other) is same
    assert same_name(other, one) is same


def test_two_words_are_the_same_name_whichever_comes_first_and_whatever_else_is_known() -> None:
    random = Random(20_240_607)
    starts = "iran kore german ukrain canad austri lond brittan maldo vienn lisk oslo".split()
    ends = ["", *"s n ns an ans ian ians ese ish 's er ers a e y ia i ern".split()]
    letters = [start[: random.randint(1, 7)] for start in starts] + starts
    forms = {random.choice(letters) + random.choice(ends) for _ in range(250)}
    same = {(one, other) for one, other in product(forms, forms) if same_name(one, other)}
    assert len(same) > len(forms)
    assert {(other, one) for one, other in same} == same
    for one in forms:  # what is asked of many words at once is the same as what is of each
        known = set(random.sample(sorted(forms), 20))
        assert has_form(one, known, set(map(stem, known))) is any(
            (one, other) in same for other in known
        )


def test_acronyms_stand_for_their_names() -> None:
    assert "nac" in set(acronyms("The North Atlantic Council met in the United States."))
    text = "The North Atlantic Council met in the United States."
    assert not missing_names("Did the NAC meet in the U.S.?", text)
    assert missing_names("Did the NSC meet?", text) == {"nsc"}


def test_names_of_a_text() -> None:
    text = "Then Lena Okafor's staff met IBM. Officials left on Friday. Rilla slept."
    assert names(text) == [("lena", "okafor"), ("ibm",), ("rilla",)]

"""What a paraphrase must not change is found when it is changed, and only then."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from rag.text.names import has_form, names, same_name
from rag.text.terms import stem, words
from rag.verification.rules import problems
from rag.verification.verifiers import VERIFIERS, load_verifier, recall

TITLE = "Port of Rilla reopens after storm"
OKAFOR = (
    "Harbour Minister Lena Okafor said on Tuesday that 4,200 containers, worth about $3.5 million, "
    "were moved in the first week."
)
DENIED = "The company did not dismiss any of its 300 workers, Okafor said."
UNSURE = "Nobody at the yard can say whether divers have reached the wreck, though some hope so."
RULED_OUT = "The harbour master rules out that any tanker lay in the northern basin that night."
QUOTED = 'Okafor called it "a hard but honest week" for the crews.'


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("4,200 containers were moved.", OKAFOR),
        ("Four thousand two hundred containers were moved.", OKAFOR),
        ("They were worth 3.5 million dollars.", OKAFOR),
        ("Minister Lena Okafor said so on Tuesday.", OKAFOR),
        ("Lena Okafor is the Harbour Minister.", OKAFOR),
        ("In the port of Rilla, 4,200 containers were moved.", OKAFOR),
        ("The company has not dismissed any workers.", DENIED),
        ("None of its 300 workers were dismissed.", DENIED),
        ("The harbour master is ruling out that a tanker lay in the northern basin.", RULED_OUT),
        ("No tanker lay in the northern basin that night.", RULED_OUT),
        ("Nobody can say whether divers have reached the wreck.", UNSURE),
        ("Okafor called it “a hard but honest week”.", QUOTED),
        (
            "The Rilla-Okafor link was in the Harbour-Minister report.",
            "A Rilla-Okafor link was in the report by the Harbour Minister.",
        ),
        ("It was not only the first week but also a long one.", OKAFOR + QUOTED),
    ],
)
def test_true_claims_pass(claim: str, source: str) -> None:
    assert problems(claim, [source], TITLE) == ()


@pytest.mark.parametrize(
    ("claim", "source", "kind"),
    [
        ("4,300 containers were moved.", OKAFOR, "number"),
        ("They were worth 3.5 million euros.", OKAFOR, "number"),
        ("4,200 containers were moved in the second week.", OKAFOR, "number"),
        ("She said so on Friday.", OKAFOR, "date"),
        ("Minister Paul Okafor said so.", OKAFOR, "name"),
        ("Prime Minister Jane Doe said so.", OKAFOR, "name"),
        ("Biden said so.", OKAFOR, "name"),
        ("The company dismissed 300 workers.", DENIED, "negation"),
        ("A tanker lay in the northern basin that night.", RULED_OUT, "negation"),
        ("4,200 containers were not moved in the first week.", OKAFOR, "negation"),
        ("They can say that divers have reached the wreck.", UNSURE, "negation"),
        ("Okafor called it “a hard but short week”.", QUOTED, "quotation"),
    ],
)
def test_false_claims_are_found(claim: str, source: str, kind: str) -> None:
    assert kind in {problem.kind for problem in problems(claim, [source], TITLE)}


def test_two_sources_are_read_together() -> None:
    assert problems("Lena Okafor said 300 workers stayed.", [DENIED], TITLE) != ()
    assert problems("Lena Okafor said 300 workers were not dismissed.", [DENIED, OKAFOR], "") == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("russia", "russian", True),
        ("korea", "koreans", True),
        ("china", "chinese", False),  # irregular: the claim is quoted instead, which is safe
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
    forms |= set(words(f"{OKAFOR} {DENIED} {UNSURE} {QUOTED} {TITLE}"))
    same = {(one, other) for one, other in product(forms, forms) if same_name(one, other)}
    assert len(same) > 2 * len(forms)
    assert {(other, one) for one, other in same} == same
    for one in forms:  # what is asked of many words at once is the same as what is of each
        known = set(random.sample(sorted(forms), 20))
        assert has_form(one, known, set(map(stem, known))) is any(
            (one, other) in same for other in known
        )


def test_acronyms_stand_for_their_names() -> None:
    source = "The North Atlantic Council met in the United States."
    assert problems("The NAC met in the U.S.", [source], "") == ()
    assert problems("The North Atlantic Council met.", ["The NAC met."], "") == ()
    assert problems("The NSC met.", [source], "") != ()


def test_names_of_a_text() -> None:
    text = "Then Lena Okafor's staff met IBM. Officials left on Friday. Rilla slept."
    assert names(text) == [("lena", "okafor"), ("ibm",), ("rilla",)]


def test_recall_is_the_weighted_share_of_terms() -> None:
    assert recall("Ships moved containers", ["containers were moved"], {}) == pytest.approx(2 / 3)
    weights = {"ship": 2.0}
    assert recall("Ships moved containers", ["containers were moved"], weights) == pytest.approx(
        0.5
    )
    assert recall("The 12", ["nothing"], {}) == 0.0
    assert recall("", ["nothing"], {}) == 0.0


@pytest.mark.parametrize("name", sorted(VERIFIERS))
def test_verifier_contract(name: str) -> None:
    verifier = load_verifier(name)
    same = verifier.check(OKAFOR, [OKAFOR], TITLE, {})
    assert same.passed
    assert same.support > 0.75
    other = verifier.check("Penguins cannot fly.", [OKAFOR], TITLE, {})
    assert 0.0 <= other.support <= 1.0
    assert other.passed is (name == "none")


def test_words_of_a_long_list_are_not_brought_together() -> None:
    people = ", ".join(f"the painter of number {n} in the hall" for n in range(6))
    source = f"Guests were Ada Lind, inventor of the valve, {people} and the founder Bo Marsh."
    assert not problems("Ada Lind was the inventor of the valve.", [source], "")
    assert [p.kind for p in problems("The valve's founder was Marsh.", [source], "")] == [
        "relation"
    ]
    near = "Bo Marsh is the founder of the valve maker."
    assert not problems("The valve's founder was Marsh.", [source, near], "")

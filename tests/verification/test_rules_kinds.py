"""Each kind of change that makes a claim wrong is found, and what says the same in other words is
not: small tables, one for each kind. ``benchmarks/verification/perturb.py`` measures the same on
large sets.
"""

from __future__ import annotations

import re
import time

import pytest

from rag.verification.dates import with_dates
from rag.verification.rules import problems

# A kind with a source, claims about it that are right, and claims that are wrong.
CLAIMS = """
numbers: The port of Rilla moved 4,200 containers, twelve cranes and 3.5 tonnes of salt.
right: It moved 4200 containers. / It moved 12 cranes. / Twelve cranes were moved. / Four thousand
 two hundred containers were moved. / It was one port. / It moved 3.5 tonnes of salt.
wrong: It moved 4,300 containers. / It moved 42 containers. / It moved thirteen cranes. / It moved
 3.6 tonnes of salt. / Eleven cranes were moved. / Only one crane was moved.

numbers: Between 30 and 45 ships, or 10–15% of the fleet, left in 2018-19.
right: Between 30 and 45 ships left. / 10 to 15 percent of the fleet left. / 30–45 ships left. /
 They left in 2018–2019.
wrong: Between 30 and 50 ships left. / 10 to 20 percent of the fleet left. / 25–45 ships left. /
 They left in 2018–20.

approximations: At least 20 people, up to 500 birds and nearly 40 horses were moved in about 12
 hours.
right: At least 20 people were moved. / Up to 500 birds were moved. / Almost 40 horses were moved. /
 It took roughly 12 hours. / It took 12 hours. / As many as 500 birds were moved. / Around 40 horses
 were moved.
wrong: At most 20 people were moved. / At least 500 birds were moved. / More than 40 horses were
 moved. / It took exactly 12 hours. / 500 birds were moved. / Exactly 20 people were moved. / 20
 people were moved.

approximations: The work took over a decade and cost less than $5 million, a third or more of it
 wasted.
right: The work took more than a decade. / It cost under $5 million. / It cost less than 5 million
 dollars. / At least a third was wasted.
wrong: The work took less than a decade. / It cost more than $5 million. / The work took nearly a
 decade. / It cost exactly $5 million.

approximations: Prices rose 20% over ten years.
right: Prices rose 20% over ten years. / Prices rose 20 percent in ten years. / In 10 years prices
 rose 20%. / Prices rose by about 20%.
wrong: Prices rose by more than 20%. / Prices rose 20% over eleven years. / Prices rose 20% over ten
 months. / Prices rose by at least 30%.

units: Turnout rose 4 percentage points to 61%, 15 km from the border.
right: Turnout rose to 61 percent. / It rose by 4 percentage points. / It rose 4 points. / It is 15
 kilometres away.
wrong: Turnout rose 4 percent. / It rose to 61 percentage points. / It is 15 miles away. / It is 15
 metres away.

units: They paid $3.5 million, €20 and £4bn for 187 minutes of film and 6 tons of steel.
right: They paid 3.5 million dollars. / They paid 20 euros. / They paid £4 billion. / It is 187
 minutes of film. / They bought 6 tons of steel.
wrong: They paid 3.5 million euros. / They paid $20. / They paid $4bn. / They paid £4m. / They paid
 3.5 billion dollars. / It is 187 hours of film. / They bought 6 pounds.

units: Hundreds of ships and 1,500 lorries waited; tens of thousands of people watched.
right: Hundreds of ships waited. / Hundreds waited, and 1,500 lorries. / Tens of thousands of people
 watched. / 1500 lorries waited.
wrong: Thousands of ships waited: millions. / Millions of people watched. / Dozens of ships and
 billions of people waited. / Hundreds of thousands watched.

units: It was the third time, in the 21st century, that the twenty-second ship sank.
right: It was the 3rd time. / The 22nd ship sank. / It was in the twenty-first century. / It sank
 for the third time.
wrong: It was the fourth time. / The 23rd ship sank. / It was in the 20th century. / It sank for the
 first time.

dates: The bridge was closed on Tuesday, 3 May 2022, and from October 4 to 7; it was built in the
 1990s and opened on 14.10.1998.
right: It was closed on May 3, 2022. / It was closed on Tuesday. / It was closed in May 2022. / It
 was closed on the 3rd of May. / It was built in the 1990s. / It was closed on 3/5/2022. / It closed
 until October 7. / It opened on 1998-10-14.
wrong: It was closed on May 4, 2022. / It was closed on Friday. / It was closed in June 2022. / It
 was closed on May 3, 2021. / It was built in the 1980s. / It closed on 8 October. / It was built in
 1990. / It opened on 15 October 1998.

dates: Okafor resigned yesterday; the vote was last week.
right: She resigned yesterday. / The vote was last week. / The vote, last week, was hers. / Okafor
 resigned.
wrong: She resigned today. / The vote was last month. / The vote is next week. / She resigned
 tomorrow.

names: Lena Okafor, J. Marsh and Prime Minister Ivo Brandt met at Amazon.com's office in Rilla.
right: L. Okafor was there. / Okafor was there. / James Marsh was there. / Ivo Brandt is the Prime
 Minister. / They met in Rilla. / They met at Amazon.
wrong: P. Okafor was there. / Paul Okafor was there. / Ann Marsh was there. / President Ivo Brandt
 was there. / They met in Oslo. / They met at Google.

offices: President Ada Lind met Prime Minister Ivo Brandt, and the coach praised a singer.
right: President Lind met Brandt. / Prime Minister Brandt met President Lind. / The coach praised a
 singer. / Ada Lind, the president, met Ivo Brandt.
wrong: President Ivo Brandt met Prime Minister Ada Lind. / Senator Ada Lind met Ivo Brandt. / The
 mayor of Rilla praised a singer. / The coach praised an architect.

offices: Vice President Ada Lind and the chief executive of Portex met U.S. Senator Bo Marsh.
right: Lind, the vice president, met Marsh. / The CEO of Portex met Senator Marsh. / Vice President
 Lind met Marsh. / U.S. Sen. Bo Marsh was there.
wrong: Lind, the president, met Marsh. / The director of Portex met Senator Marsh. / U.S. Sheriff Bo
 Marsh was there. / Author Trent Marsh was there.

negations: The company has not dismissed any of its workers, but the plant in Rilla was closed.
right: No workers were dismissed. / The company hasn't dismissed its workers. / The plant in Rilla
 was closed. / The company never dismissed workers.
wrong: The company has dismissed its workers. / The plant in Rilla was not closed. / The company
 dismissed workers. / The plant was never closed.

negations: Lind refused to sign the treaty and went home without a deal.
right: Lind did not sign the treaty. / Lind refused to sign. / She went home without a deal. / Lind
 would not sign the treaty.
wrong: Lind signed the treaty. / She went home with a deal. / Lind agreed to sign the treaty. / Lind
 did not go home.

modalities: The storm may strike Rilla on Monday, and the dam could easily break.
right: The storm may strike Rilla. / The storm might strike Rilla on Monday. / The dam could break.
 / The dam may break. / It is possible that the dam will break.
wrong: The storm will strike Rilla. / The storm strikes Rilla on Monday. / The dam will break. / The
 storm will certainly strike Rilla.

modalities: The ship is expected to sail on Friday with a suspected spy and is reportedly damaged.
right: The ship is expected to sail on Friday. / A suspected spy is on the ship. / The ship is
 reportedly damaged. / The ship is likely to sail on Friday.
wrong: The ship sails on Friday. / The ship will sail on Friday. / A spy is on the ship. / The ship
 is damaged. / The ship is definitely damaged.

attributions: Okafor warned that the old dam above Rilla would burst within days.
right: Okafor warned that the dam would burst. / The dam would burst, Okafor said. / According to
 Okafor, the old dam would burst. / Okafor warned of it within days.
wrong: The old dam above Rilla would burst within days. / The old dam would burst. / The dam above
 Rilla bursts within days. / Okafor confirmed that the dam would burst.

attributions: Marsh claimed the fire had been started by smugglers, and Lind denied that she knew
 them.
right: Marsh claimed the fire had been started by smugglers. / Lind denied that she knew them. /
 Marsh said the fire had been started by smugglers. / Lind did not know them, she said.
wrong: The fire had been started by smugglers. / Smugglers started the fire. / Lind said that she
 knew them. / Lind knew them.

attributions: The road is open, Okafor said on Monday; the harbour is closed, according to Marsh.
right: Okafor said the road is open. / The road is open. / The harbour is closed. / According to
 Marsh, the harbour is closed.
wrong: The road is open, Brandt said. / According to Lind, the harbour is closed. / Rilla said the
 road is open. / The harbour is closed, according to Lind.

roles: Rilla beat Norvik in the final.
right: Rilla beat Norvik. / Norvik was beaten by Rilla. / Norvik lost to Rilla in the final. / Rilla
 beat Norvik in the final.
wrong: Norvik beat Rilla. / Norvik beat Rilla in the final. / Rilla was beaten by Norvik. / In the
 final Norvik beat Rilla.

roles: The union sued the company after Ada Lind was accused by Ivo Brandt in March 2021.
right: The union sued the company. / The company was sued by the union. / Ada Lind was accused by
 Ivo Brandt. / Ivo Brandt accused Ada Lind.
wrong: The company sued the union. / The union was sued by the company. / Ivo Brandt was accused by
 Ada Lind. / Ada Lind accused Ivo Brandt.

roles: Ann Lee and Bo Marsh married and moved from Rilla to Norvik.
right: Bo Marsh and Ann Lee married. / Ann Lee married Bo Marsh. / Bo Marsh married Ann Lee. / They
 moved from Rilla to Norvik.
wrong: They moved from Norvik to Rilla. / Ann Lee and Bo Marsh moved from Norvik to Rilla. / Ann Lee
 moved from Norvik to Rilla. / Bo Marsh moved from Norvik to Rilla.

roles: Ann Okoye said that her office would mend the bridge soon.
right: She said that the bridge would be mended. / Okoye said that she would mend it soon. / Okoye
 told him that it would be mended soon.
wrong: He also said that the bridge would be mended. / His office would mend the bridge soon.
"""


def case(block: str) -> tuple[str, str, list[str], list[str]]:
    head, right, wrong = re.split(r" (?:right|wrong): ", " ".join(block.split()))
    kind, source = head.split(": ", 1)
    return kind, source, right.split(" / "), wrong.split(" / ")


CASES = [case(block) for block in CLAIMS.split("\n\n")]
RIGHT = [(kind, source, claim) for kind, source, right, _ in CASES for claim in right]
WRONG = [(kind, source, claim) for kind, source, _, wrong in CASES for claim in wrong]


@pytest.mark.parametrize(("kind", "source", "claim"), RIGHT)
def test_what_says_the_same_passes(kind: str, source: str, claim: str) -> None:
    assert problems(claim, [source], "") == (), kind


@pytest.mark.parametrize(("kind", "source", "claim"), WRONG)
def test_what_says_otherwise_is_found(kind: str, source: str, claim: str) -> None:
    assert problems(claim, [source], "") != (), kind


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("At most 20 people saw it.", "approximation"),
        ("The dam will break.", "modality"),
        ("The old bridge over the Sarn had been sold to spies.", "attribution"),
        ("Norvik beat Rilla.", "role"),
    ],
)
def test_the_kind_of_a_problem_is_named(claim: str, kind: str) -> None:
    source = (
        "Rilla beat Norvik, and at least 20 people saw it. The dam may break. "
        "Marsh alleged that the old bridge over the Sarn had been sold to spies."
    )
    assert kind in {problem.kind for problem in problems(claim, [source], "")}


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        (
            "Norvik said it will not attack Rilla.",
            "Norvik has denied that it plans to attack Rilla.",
        ),
        ("No, the bridge is not open yet.", "The bridge will not be open until next month."),
        ("The Fed raised its rate.", "The Federal Reserve raised its rate on Wednesday."),
        (
            "UN Secretary General Ada Lind said the talks went on.",
            '"The UN talks went on," Secretary General Ada Lind said.',
        ),
        ("Ukraine's president is Ivo Brandt.", "Ukrainian President Ivo Brandt visited the port."),
        ("Ada Lind bought Portex.", "Portex was bought by Ada Lind for $44 billion."),
        ("Portex sued Lind.", "Lind was sued by Portex after she tried to back out."),
        ("Forecasters say it could land Friday.", "The storm may land Friday, forecasters said."),
        ("The storm is expected to land.", "Forecasters expect the storm to land on Friday."),
        ("Yes, it reopened on Monday.", "The bridge reopened on Monday after two months of work."),
        ("The harbour was shut.", "The harbour was shut, officials told reporters on Monday."),
        ("It was the 22nd, Lind's last.", "Lind's last speech was on 22 October 2024."),
    ],
)
def test_answers_in_other_words_pass(claim: str, source: str) -> None:
    assert problems(claim, [source], "") == ()


WEDNESDAY = "2024-10-23"


@pytest.mark.parametrize(
    ("source", "right", "wrong"),
    [
        ("Lind resigned on Tuesday.", "22 October 2024", "23 October 2024"),
        ("Lind resigned yesterday.", "Tuesday, October 22", "Monday, October 21"),
        ("Lind resigned last month.", "September 2024", "October 2024"),
        ("Lind resigned three weeks ago.", "2 October 2024", "9 October 2024"),
        ("Lind resigned two years ago.", "2022", "2021"),
        ("Lind will resign next Friday.", "25 October 2024", "18 October 2024"),
        ("Lind resigned last year.", "2023", "2024"),
    ],
)
def test_relative_dates_are_read_with_the_day_of_publication(
    source: str, right: str, wrong: str
) -> None:
    sources = [with_dates(source, WEDNESDAY)]
    assert problems(f"Lind resigned, in or on {right}.", sources, "") == ()
    assert problems(f"Lind resigned, in or on {wrong}.", sources, "") != ()


def test_this_week_is_not_a_year_ago() -> None:
    claim = "Lind resigned this week."
    assert problems(claim, ["Lind resigned on 12 March 2008."], "")
    assert not problems(claim, [with_dates("Lind resigned on Tuesday.", WEDNESDAY)], "")
    assert not problems(claim, ["Lind resigned on 12 March."], "")


def test_without_a_day_of_publication_a_quote_stays_as_it_is() -> None:
    for published in (None, "", "last spring", "2024-13-01"):
        assert with_dates("Lind resigned on Tuesday.", published) == "Lind resigned on Tuesday."
    assert with_dates("Lind resigned.", WEDNESDAY) == "Lind resigned."
    assert with_dates("It was yesterday.", "0001-01-01").startswith("It was yesterday.")
    assert with_dates("It was 999 years ago.", "0500-01-01").endswith("(1)")
    assert with_dates("It will be tomorrow.", "9999-12-31").startswith("It will be tomorrow.")


HOSTILE = (
    "not |may |1|1,1|“|claimed that |Ann and |Ann, |at least |A.B.|one hundred |January 1 |May |"
    "twenty-|1 to 1 |I. |2018–|1990s |é|Ann beat Bo |said Ann |is beaten by |hundreds of |"
    "last week |x-|3/4/20 |\u0301|according to Ann "
).split("|")


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_is_linear_in_hostile_text(unit: str) -> None:
    def seconds(length: int) -> float:  # of this process's own work
        claim = (unit * length)[:length]
        sources = [with_dates(claim[:-1], WEDNESDAY), f"{claim} x"]
        begun = time.process_time()
        problems(claim, sources, unit)
        return time.process_time() - begun

    # Eight times as long: about eight times the work, and 64 times if it were quadratic.
    assert min(seconds(12_000 + n) for n in range(2)) < 32 * min(
        seconds(1_500 + n) for n in range(3)
    )

"""Whether a question is in another language than the articles."""

from __future__ import annotations

import pytest

from rag.text.language import foreign_language, language_of

ENGLISH = "The bridge was closed on Friday after cracks were found in two of its pillars."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Who is the mayor?", "English"),
        ("In which year did the bridge open?", "English"),
        ("Did Los Angeles host El Niño?", "English"),
        ("What did she mean by «Слава Україні»?", "English"),
        ("Wer ist der Bürgermeister der Stadt?", "German"),
        ("¿Quién es la portavoz de los bomberos?", "Spanish"),
        ("Qui est le maire de la ville ?", "French"),
        ("Chi è la portavoce della città?", "Italian"),
        ("Quem é o presidente da câmara e quando foi eleito?", "Portuguese"),
        ("Wie is de burgemeester van de stad?", "Dutch"),
        ("Kto jest burmistrzem miasta?", "Polish"),
        ("Gdzie był most?", "Polish"),
        ("Başkanın adı nedir ve nasıl seçildi?", "Turkish"),
        ("Vem är stadens borgmästare?", "Swedish"),
        ("Кто мэр города?", "the Cyrillic script"),
        ("谁是市长？", "Chinese or Japanese characters"),
        ("NATOの報道官は誰ですか", "Japanese"),
        ("시장은 누구입니까?", "Korean"),
        ("Mayor Okoye?", None),
        ("El Niño in Los Angeles?", None),
        ("12,000?", None),
        ("", None),
    ],
)
def test_the_language_of_a_question(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_a_foreign_language_is_neither_english_nor_that_of_the_articles() -> None:
    german = "Die Brücke wurde am Freitag nach der Prüfung von zwei Pfeilern gesperrt."
    asked = "Wann wurde die Brücke gesperrt und von wem?"
    assert foreign_language(asked, [ENGLISH]) == "German"
    assert foreign_language(asked, [german]) is None
    assert foreign_language("When was the bridge closed?", [german]) is None
    assert foreign_language("Brücke gesperrt?", [ENGLISH]) is None
    assert foreign_language(asked, []) == "German"

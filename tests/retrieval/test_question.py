"""What kind of answer a question wants."""

from __future__ import annotations

import pytest

from rag.retrieval.question import is_polar


@pytest.mark.parametrize(
    ("question", "polar"),
    [
        ("Is the port open?", True),
        ("Did she say so?", True),
        ("Hasn't the port reopened?", True),
        ("Is the port open or closed?", False),
        ("Who is she?", False),
        ("What can be done?", False),
    ],
)
def test_is_polar(question: str, *, polar: bool) -> None:
    assert is_polar(question) is polar

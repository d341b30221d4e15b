"""What schemathesis makes of the OpenAPI document, sent to every route of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fake_rag import FakeRag
from hostile_strings import LEAKS
from served import Server, serving

schemathesis = pytest.importorskip("schemathesis")
# Now: pytest rewrites what is imported, which fails in Python 3.11 while a server imports, too.
pytest.importorskip("schemathesis.specs.openapi.schemas")
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
# A question of white space has the form that the document describes, and is refused.
EXCLUDED = [positive_data_acceptance]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    from rag.app import Options
    from rag.server.settings import Limits

    limits = Limits(questions_per_minute=10**9)
    with serving(FakeRag(), options=Options(limits=limits)) as served:
        yield served


def attack(server: Server, examples: int) -> None:
    """Check statuses, content types and shapes of the answers against the document."""
    schema: Any = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    tried = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def run(case: Any) -> None:
            response = case.call_and_validate(excluded_checks=EXCLUDED)
            tried.append(response.status_code)
            assert not LEAKS.search(response.text)

        run()
    assert len(tried) > examples
    assert max(tried) < 500


def test_every_route_keeps_to_the_document(server: Server) -> None:
    attack(server, 10)


@pytest.mark.slow
def test_every_route_keeps_to_the_document_at_length(server: Server) -> None:
    attack(server, 500)

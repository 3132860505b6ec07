"""The contract file against a live gateway: what it allows is answered as it says, and never with a 5xx."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance, response_schema_conformance

from gateway.cli.configuration import DEMO_KEY
from tests.serving import serving

FILE = Path(__file__).parents[2] / "openapi.yaml"
EXAMPLES = 5
APART = ["/v1/realtime", "/v1/realtime/calls"]
"""A WebSocket, which no request of HTTP opens; and what is refused with 501, which any check calls a failure."""

SAID_IN_WORDS: list[Any] = [positive_data_acceptance]
"""The file has all that OpenAI's clients may send. What GLM cannot do of it is refused, with the reason."""

LARGE = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/responses/input_tokens"]
"""Bodies of so many fields that to go through each and every one of them takes half a minute."""

schema = schemathesis.openapi.from_path(FILE)
large = schemathesis.openapi.from_path(FILE)
large.config.phases.coverage.enabled = False
bounded = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Give a gateway with its own simulator, as ``make run`` starts it."""
    with serving({"GATEWAY_LOGS_LEVEL": "error"}) as served:
        yield served.read_until("GLM Gateway answers on ").split()[-1].removesuffix("/v1")


def keep(case: schemathesis.Case[Any], origin: str) -> None:
    headers = {"Authorization": f"Bearer {DEMO_KEY}"}

    answer = case.call(base_url=origin, headers=headers, timeout=30)
    is_stream = "text/event-stream" in answer.headers.get("content-type", [""])[0]

    case.validate_response(answer, excluded_checks=[*SAID_IN_WORDS, *([response_schema_conformance] * is_stream)])
    if is_stream:
        keep_stream(case.operation.path, answer.text)


def keep_stream(path: str, text: str) -> None:
    """Hold the data of every event against the file, which says of a stream what its data are."""
    answers = schema.raw_schema["paths"][path]["post"]["responses"]["200"]["content"]
    whole = {"components": schema.raw_schema["components"], "allOf": [answers["text/event-stream"]["schema"]]}
    validator = jsonschema_rs.Draft202012Validator(whole)
    events = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]

    assert events
    for event in events:
        if event != "[DONE]":
            validator.validate(json.loads(event))


@schema.exclude(path=[*APART, *LARGE]).parametrize()
@bounded
@pytest.mark.timeout(180)
def test_file_is_kept(case: schemathesis.Case[Any], origin: str) -> None:
    """Bodies, headers, statuses, methods, authentication: every check of Schemathesis, for every operation."""
    keep(case, origin)


@large.include(path=LARGE).parametrize()
@bounded
@pytest.mark.timeout(180)
def test_file_is_kept_for_large_bodies(case: schemathesis.Case[Any], origin: str) -> None:
    keep(case, origin)

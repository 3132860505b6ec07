"""Earlier spoken answers in the history: by GLM's id while it knows it, else by what was said."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequest, Overloaded
from gateway.translate.chat.audio_ids import Kept, kept
from gateway.translate.chat.claims import Tagger
from gateway.translate.chat.endpoint import read
from gateway.translate.chat.job import ChatJob

Sent = Callable[..., dict[str, Any]]
Start = Callable[..., ChatJob]

CREATED = 1_760_000_000
REFERENCE = {"role": "assistant", "audio": {"id": "a1"}}
BY_ID = REFERENCE
TOLD = {"role": "assistant", "audio": {"id": Tagger(b"secret").tagged("a1", tenant="")}}
IN_WORDS = {"role": "assistant", "content": "Four."}
VALID = kept("a1", Kept(transcript="Four.", valid_until=CREATED + 1))
EXPIRED = kept("a1", Kept(transcript="Four.", valid_until=CREATED))
ENDLESS = kept("a1", Kept(transcript="Four.", valid_until=None))
OURS = kept("a1", Kept(transcript="Four.", valid_until=0))


def conversation(earlier: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": "2 + 2?"}, earlier, {"role": "user", "content": "Sure?"}]


@pytest.mark.parametrize(
    ("model", "earlier", "recalled", "expected"),
    [
        pytest.param("glm-4-voice", REFERENCE, VALID, BY_ID, id="valid"),
        pytest.param("glm-4-voice", REFERENCE, ENDLESS, BY_ID, id="of which GLM did not say how long"),
        pytest.param("glm-4-voice", REFERENCE, EXPIRED, IN_WORDS, id="expired"),
        pytest.param("glm-4-voice", REFERENCE, OURS, IN_WORDS, id="that GLM gave no id"),
        pytest.param("glm-4-voice", TOLD, {}, BY_ID, id="told to the tenant: perhaps GLM knows it"),
        pytest.param("glm-4-voice", TOLD, VALID, BY_ID, id="told and remembered"),
        pytest.param("glm-4-voice", TOLD, EXPIRED, IN_WORDS, id="told and expired"),
        pytest.param("glm-4-voice", REFERENCE | {"content": None}, VALID, BY_ID, id="null content"),
        pytest.param("glm-4-voice", REFERENCE | {"content": "4"}, VALID, BY_ID | {"content": "4"}, id="both"),
        pytest.param(
            "glm-4-voice", REFERENCE | {"content": "4"}, EXPIRED, IN_WORDS | {"content": "4"}, id="both, expired"
        ),
        pytest.param("glm-4.7", REFERENCE, VALID, IN_WORDS, id="for a model that cannot hear"),
        pytest.param(
            "glm-4.7",
            {"role": "assistant", "content": None, "audio": {"id": "a1", "data": "AA", "transcript": "Four."}},
            {},
            IN_WORDS,
            id="sent back whole",
        ),
    ],
)
def test_earlier_answer_is_named_or_told(
    sent: Sent, model: str, earlier: dict[str, Any], recalled: dict[str, str], expected: dict[str, Any]
) -> None:
    body = sent(model=model, messages=conversation(earlier), recalled=recalled)

    assert expected == body["messages"][1]


def test_answer_sent_back_whole_has_no_unknown_fields(start: Start) -> None:
    """SDKs append the message as they got it."""
    whole = {"id": "a1", "data": "AA==", "expires_at": CREATED, "transcript": "Four."}
    job = start(model="glm-4-voice", messages=conversation({"role": "assistant", "audio": whole}))

    assert [] == [*job.ignored]


def test_what_is_known_nowhere_is_refused_by_its_path(sent: Sent) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        sent(model="glm-4.7", messages=conversation(TOLD))

    assert ("messages[1].audio.id", "audio_not_found") == (refusal.value.param, refusal.value.code)


def test_ids_are_asked_for_beside_reasoning() -> None:
    calls = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    messages = conversation({"role": "assistant", "tool_calls": calls, "audio": {"id": "a1"}})
    incoming = read(msgspec.json.encode({"model": "glm-4-voice", "messages": messages}))

    assert ["call_1", "audio:a1"] == [*incoming.recall(None)]  # type: ignore[arg-type]
    incoming = read(msgspec.json.encode({"model": "glm-4-voice", "messages": conversation(TOLD)}))
    assert ["audio:a1"] == [*incoming.recall(None)]  # type: ignore[arg-type]


@pytest.mark.parametrize("recalled", [VALID, ENDLESS], ids=["valid", "endless"])
def test_words_are_at_hand_for_when_glm_does_not_know_the_id(start: Start, recalled: dict[str, str]) -> None:
    """Ids are an account's own, and another may be asked the next time; GLM takes the caller's id but once."""
    job = start(
        model="glm-4-voice", messages=conversation(REFERENCE), recalled=recalled, request_id="request-1", n=2
    )

    assert 2 == len(job.calls)
    for call in job.calls:
        assert call.otherwise is not None
        body = msgspec.json.decode(call.otherwise)
        assert IN_WORDS == body["messages"][1]
        assert "request_id" not in body


def test_callers_own_words_are_told_before_ours(start: Start) -> None:
    own = REFERENCE | {"content": "4"}
    (call,) = start(model="glm-4-voice", messages=conversation(own), recalled=VALID).calls

    assert call.otherwise is not None
    assert {"role": "assistant", "content": "4"} == msgspec.json.decode(call.otherwise)["messages"][1]


def test_nothing_is_at_hand_where_nothing_is_named(start: Start) -> None:
    (call,) = start(model="glm-4-voice").calls
    (expired,) = start(model="glm-4-voice", messages=conversation(REFERENCE), recalled=EXPIRED).calls

    assert call.otherwise is expired.otherwise is None


def test_id_that_only_glm_could_know_is_named_when_glm_refuses(start: Start) -> None:
    job = start(model="glm-4-voice", messages=conversation(TOLD))

    refused = job.explain(0, InvalidRequest("GLM refuses the request: wrong (GLM 1214)"))
    overloaded = job.explain(0, Overloaded("Later."))

    assert job.calls[0].otherwise is None
    assert "messages[1].audio.id" == refused.param
    assert overloaded.param is None

"""Ids of spoken answers are their tenant's own."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequest
from gateway.translate.chat.audio_ids import Kept, kept
from gateway.translate.chat.claims import Tagger, untagged

Sent = Callable[..., dict[str, Any]]

TAGGER = Tagger(b"secret")
OTHERS = TAGGER.tagged("a1", tenant="rival")
FORGED = "a1." + 32 * "0"


def history(audio_id: str, **more: Any) -> list[dict[str, Any]]:
    asked = {"role": "user", "content": "Sure?"}
    return [asked, {"role": "assistant", "audio": {"id": audio_id}} | more, asked]


@given(glm_id=st.text(min_size=1), tenant=st.text(), other=st.text())
def test_tag_is_of_one_id_and_one_tenant(glm_id: str, tenant: str, other: str) -> None:
    told = TAGGER.tagged(glm_id, tenant=tenant)

    assert untagged(told) == glm_id
    assert TAGGER.is_tagged(told, tenant=tenant)
    assert TAGGER.is_tagged(told, tenant=other) == (tenant == other)
    assert not TAGGER.is_tagged(f"x{told}", tenant=tenant)
    assert not Tagger(b"another").is_tagged(told, tenant=tenant)


@pytest.mark.parametrize(("glm_id", "tenant"), [("ab", "c"), ("b", "ca"), ('","', "c")])
def test_id_and_tenant_do_not_run_together(glm_id: str, tenant: str) -> None:
    tag = TAGGER.tagged("a", tenant="cb").removeprefix("a.")

    assert not TAGGER.is_tagged(f"{glm_id}.{tag}", tenant=tenant)


@pytest.mark.parametrize("model", ["glm-4-voice", "glm-4.7"])
@pytest.mark.parametrize("audio_id", ["a1", OTHERS, FORGED, "", "."])
def test_answer_of_nobody_or_another_is_refused_by_its_path(sent: Sent, model: str, audio_id: str) -> None:
    with pytest.raises(InvalidRequest, match="send what it said as 'content'") as refusal:
        sent(model=model, messages=history(audio_id))

    assert ("messages[1].audio.id", "audio_not_found") == (refusal.value.param, refusal.value.code)


@pytest.mark.parametrize("audio_id", ["a1", OTHERS, FORGED])
def test_answer_that_is_remembered_needs_no_tag(sent: Sent, audio_id: str) -> None:
    """What is remembered is the tenant's own."""
    recalled = kept("a1", Kept(transcript="Four.", valid_until=None))

    body = sent(model="glm-4-voice", messages=history(audio_id), recalled=recalled)

    assert {"role": "assistant", "audio": {"id": "a1"}} == body["messages"][1]


@pytest.mark.parametrize(
    "more",
    [
        {"content": "Four."},
        {"content": [{"type": "text", "text": "Four."}]},
        {"refusal": "Four."},
        {"audio": {"id": OTHERS, "transcript": "Four."}},
    ],
    ids=["content", "parts", "refusal", "transcript"],
)
def test_answer_of_another_is_told_by_the_text_beside_it(sent: Sent, more: dict[str, Any]) -> None:
    """And never by its id."""
    body = sent(model="glm-4-voice", messages=history(OTHERS, **more))

    assert {"role": "assistant", "content": "Four."} == body["messages"][1]

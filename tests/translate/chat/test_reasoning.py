"""How hard to think: what each model is sent, by its row in the catalogue."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.catalog import ChatTraits
from gateway.errors import InvalidRequest
from gateway.glm.chat import Thinking
from gateway.openai.chat.messages import UserMessage
from gateway.openai.chat.requests import CreateChatCompletionRequest, Effort
from gateway.translate.chat.reasoning import convert_reasoning, nearest
from gateway.translate.endpoint import Context
from gateway.translate.params import Draft

Sent = Callable[..., dict[str, Any]]

ON, OFF = {"thinking": {"type": "enabled"}}, {"thinking": {"type": "disabled"}}


@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        pytest.param("glm-4.7", {}, {}, id="nothing said"),
        pytest.param("glm-4.7", {"reasoning_effort": "none"}, OFF, id="switch: none"),
        pytest.param("glm-4.7", {"reasoning_effort": "minimal"}, OFF, id="switch: minimal"),
        pytest.param("glm-4.7", {"reasoning_effort": "low"}, ON, id="switch: low"),
        pytest.param("glm-4.7", OFF, OFF, id="Zhipu's own switch"),
        pytest.param("glm-4.7", {"reasoning_effort": "high"} | OFF, OFF, id="Zhipu's own switch wins"),
        pytest.param(
            "glm-4.7",
            {"thinking": {"clear_thinking": False}},
            {"thinking": {"clear_thinking": False}},
            id="preserved thinking",
        ),
        pytest.param(
            "glm-4.7",
            {"thinking": {"clear_thinking": False}, "reasoning_effort": "none"},
            {"thinking": {"type": "disabled", "clear_thinking": False}},
            id="both",
        ),
        pytest.param("glm-5.2", {"reasoning_effort": "none"}, {"reasoning_effort": "none"}, id="efforts: none"),
        pytest.param("glm-5.2", {"reasoning_effort": "xhigh"}, {"reasoning_effort": "xhigh"}, id="efforts: xhigh"),
        pytest.param("glm-5.3", {"reasoning_effort": "none"}, {"reasoning_effort": "low"}, id="always: the least"),
        pytest.param(
            "glm-5.3", {"reasoning_effort": "medium"}, {"reasoning_effort": "high"}, id="always: upwards"
        ),
        pytest.param("glm-5.3", {"reasoning_effort": "xhigh"}, {"reasoning_effort": "max"}, id="always: the most"),
        pytest.param("glm-5.3", ON, ON, id="always: enabled passes"),
        pytest.param("glm-4-flash-250414", {"reasoning_effort": "high"} | ON, {}, id="does not think"),
        pytest.param("glm-4.7", {"effort": "none"}, OFF, id="the tenant's default"),
        pytest.param("glm-4.7", {"effort": "none", "reasoning_effort": "high"}, ON, id="the caller wins"),
        pytest.param("glm-4.7", {"effort": "none"} | ON, ON, id="the caller's switch wins"),
        pytest.param(
            "glm-4.7",
            {"effort": "none", "thinking": {"clear_thinking": False}},
            {"thinking": {"type": "disabled", "clear_thinking": False}},
            id="a default beside what says nothing of it",
        ),
        pytest.param("glm-4-voice", {"effort": "none"}, {}, id="a default for a model that does not think"),
    ],
)
def test_effort_becomes_what_the_model_takes(
    sent: Sent, model: str, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Models differ in what they refuse, so each is sent only what its row allows."""
    body = sent(model=model, **fields)

    assert expected == {name: body[name] for name in ("thinking", "reasoning_effort") if name in body}


def test_disabling_is_refused_when_the_model_always_thinks(sent: Sent) -> None:
    """GLM answers 1210; the caller is told what to do instead."""
    with pytest.raises(InvalidRequest) as refusal:
        sent(model="glm-5.3", **OFF)

    assert refusal.value.param == "thinking"
    assert "'low'" in refusal.value.message


@pytest.mark.parametrize(("effort", "expected"), [("none", {}), ("high", {"thinking": Thinking(type="enabled")})])
def test_no_model_that_always_thinks_is_told_to_stop(
    context: Callable[..., Context], effort: Effort, expected: dict[str, Any]
) -> None:
    """Not by an effort either, which is only a wish."""
    traits = ChatTraits(thinking="always")
    told = replace(context("glm-4.7"), model=replace(context("glm-4.7").model, chat=traits))
    request = CreateChatCompletionRequest(model="m", messages=[UserMessage(content="x")], reasoning_effort=effort)
    draft = Draft()

    convert_reasoning(request, told, draft)

    assert expected == draft.fields


@pytest.mark.parametrize(
    ("effort", "offered", "expected"),
    [
        ("high", ("low", "high", "max"), "high"),
        ("none", ("low", "high"), "low"),
        ("max", ("high", "low"), "high"),
        ("medium", ("ultra", "low"), "ultra"),
        ("unheard-of", ("low", "high"), "high"),
    ],
)
def test_nearest_effort_is_no_less_than_asked_where_there_is_one(
    effort: str, offered: tuple[str, ...], expected: str
) -> None:
    """Upwards first, since less thought than asked would be a worse answer than asked."""
    assert expected == nearest(effort, offered)

"""Conversations: OpenAI's roles and parts to GLM's."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.catalog import Model
from gateway.errors import InvalidRequest
from gateway.translate.chat.endpoint import read

Sent = Callable[..., dict[str, Any]]

MODEL = Model(id="glm-4.7", operations=("chat",))
USER = {"role": "user", "content": "Hello"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
CUSTOM = {"id": "call_2", "type": "custom", "custom": {"name": "c", "input": 'say "hi"'}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            {"role": "system", "content": "Be brief."}, {"role": "system", "content": "Be brief."}, id="system"
        ),
        pytest.param(
            {"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "system", "content": "a\nb"},
            id="developer, in parts",
        ),
        pytest.param(
            {"role": "user", "content": "x", "name": "bob"}, {"role": "user", "content": "x"}, id="name is dropped"
        ),
        pytest.param(
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "user", "content": "a\nb"},
            id="user, in parts",
        ),
        pytest.param(
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
            id="assistant that calls",
        ),
        pytest.param(
            {"role": "assistant", "content": "", "tool_calls": [CUSTOM]},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {
                        "id": "call_2",
                        "type": "function",
                        "function": {"name": "c", "arguments": '{"input":"say \\"hi\\""}'},
                    }
                ],
            },
            id="custom tool, wrapped",
        ),
        pytest.param(
            {"role": "assistant", "content": None, "reasoning_content": "thought"},
            {"role": "assistant", "content": "", "reasoning_content": "thought"},
            id="assistant that got no further than thinking",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [CALL | {"function": {"name": "f", "arguments": ""}}]},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [CALL | {"function": {"name": "f", "arguments": "{}"}}],
            },
            id="call without arguments",
        ),
        pytest.param(
            {"role": "assistant", "content": None, "refusal": "I won't."},
            {"role": "assistant", "content": "I won't."},
            id="refusal",
        ),
        pytest.param(
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "assistant", "content": "No."},
            id="refusal part",
        ),
        pytest.param(
            {"role": "assistant", "content": "x", "reasoning_content": " \nthought  "},
            {"role": "assistant", "content": "x", "reasoning_content": " \nthought  "},
            id="reasoning goes back unmodified",
        ),
        pytest.param(
            {"role": "assistant", "content": "x", "audio": {"id": "audio_1"}},
            {"role": "assistant", "content": "x"},
            id="audio of another model",
        ),
        pytest.param(
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "42"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "42"},
            id="tool, in parts",
        ),
    ],
)
def test_message_is_told_in_glms_terms(sent: Sent, message: dict[str, Any], expected: dict[str, Any]) -> None:
    """Every role and shape that GLM does not know becomes one that it does."""
    assert sent(messages=[USER, message])["messages"] == [USER, expected]


def test_deprecated_function_calls_are_matched_to_their_results(sent: Sent) -> None:
    """``function_call`` has no id, so calls and results are numbered."""
    turns = [
        USER,
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
        {"role": "assistant", "content": None, "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "function", "name": "g", "content": "2"},
    ]

    _, first, one, second, two = sent(messages=turns)["messages"]

    assert one["tool_call_id"] == first["tool_calls"][0]["id"]
    assert two["tool_call_id"] == second["tool_calls"][0]["id"]
    assert one["tool_call_id"] != two["tool_call_id"]
    assert (one["role"], one["content"]) == ("tool", "1")


def test_instructions_alone_are_asked_as_a_question(sent: Sent) -> None:
    """GLM refuses a conversation of only system messages; OpenAI's models answer it."""
    turns = [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Say hello."}]

    assert sent(messages=turns)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say hello."},
    ]


def test_instruction_is_still_the_question_when_tools_were_called_for_it(sent: Sent) -> None:
    """As it was when GLM called them."""
    system, called, result = {"role": "system", "content": "Say the time."}, TURNS[1], TURNS[2]

    asked, *rest = sent(messages=[system, called, result])["messages"]

    assert {"role": "user", "content": "Say the time."} == asked
    assert ["assistant", "tool"] == [message["role"] for message in rest]


@pytest.mark.parametrize("nothing", ["", [{"type": "text", "text": ""}]], ids=["text", "part"])
@pytest.mark.parametrize(
    "rest",
    [
        [USER],
        [USER, {"role": "assistant", "content": "x"}],
        [{"role": "system", "content": "x"}],
    ],
    ids=["a question", "an answer", "instructions"],
)
def test_message_of_a_user_who_says_nothing_is_left_out(sent: Sent, rest: list[Any], nothing: Any) -> None:
    """OpenAI's models take it for what it is; GLM refuses the whole conversation for it (1213)."""
    silence = {"role": "user", "content": nothing}

    assert sent(messages=rest)["messages"] == sent(messages=[*rest, silence])["messages"]
    assert sent(messages=rest)["messages"] == sent(messages=[silence, *rest])["messages"]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([{"role": "user", "content": ""}], "messages"),
        ([{"role": "user", "content": ""}, {"role": "assistant", "content": "x"}], "messages"),
        ([{"role": "assistant", "content": "x"}], "messages"),
        ([{"role": "system", "content": "x"}, {"role": "assistant", "content": "x"}], "messages"),
        ([USER, {"role": "assistant"}], "messages[1].content"),
        ([{"role": "user", "content": None}], "messages[0].content"),
        ([{"role": "user", "content": []}], "messages[0].content"),
        ([USER, {"role": "tool", "content": "x"}], "messages[1].tool_call_id"),
        ([USER, {"role": "narrator", "content": "x"}], "messages[1].role"),
        (
            [
                USER,
                {"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]},
            ],
            "messages[1].content[0]",
        ),
    ],
    ids=[
        "empty user",
        "empty user and assistant",
        "only assistant",
        "no user",
        "empty assistant",
        "null user",
        "no parts",
        "tool without id",
        "role",
        "system with picture",
    ],
)
def test_conversation_is_refused_when_glm_cannot_take_it(sent: Sent, messages: list[Any], param: str) -> None:
    """The message at fault is named by its path."""
    with pytest.raises(InvalidRequest) as refusal:
        sent(messages=messages)

    assert param == refusal.value.param


# --- Reasoning that clients drop between turns --------------------------------------------------------

TURNS: list[dict[str, Any]] = [
    USER,
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "42"},
]


def test_reasoning_is_recalled_when_the_client_dropped_it(sent: Sent) -> None:
    """GLM wants its reasoning back with the results of its calls; OpenAI's clients do not send it."""
    assert sent(messages=TURNS, recalled={"call_1": "because"})["messages"][1]["reasoning_content"] == "because"


@pytest.mark.parametrize(
    ("kept", "model", "expected"),
    [("the client's own", "glm-4.7", "the client's own"), (None, "glm-4-flash-250414", None)],
    ids=["the client kept it", "a model that does not think"],
)
def test_recalled_reasoning_is_left_out(sent: Sent, kept: str | None, model: str, expected: str | None) -> None:
    """What the client sends wins, and a model without reasoning is sent none."""
    turn = TURNS[1] | {"reasoning_content": kept}
    body = sent(messages=[USER, turn, TURNS[2]], model=model, recalled={"call_1": "because"})

    assert body["messages"][1].get("reasoning_content") == expected


def test_keys_to_recall_are_the_calls_without_reasoning() -> None:
    """Only what is missing is looked for."""
    body = (
        b'{"model":"glm-4.7","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":'
        b'{"name":"f","arguments":"{}"}}]},{"role":"assistant","reasoning_content":"r","tool_calls":[{"id":"b",'
        b'"type":"function","function":{"name":"f","arguments":"{}"}}]}]}'
    )

    assert [*read(body).recall(MODEL)] == ["a"]

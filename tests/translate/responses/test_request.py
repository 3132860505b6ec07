"""What GLM is sent for a response: its items as messages, its flat tools, and the settings that chat has too."""

from typing import Any

import msgspec
import pytest

from gateway.errors import InvalidRequest, ResponseNotFound
from gateway.translate.responses.endpoint import read
from gateway.translate.responses.kept import Kept, write
from tests.translate.responses.conftest import SEALER, Sent, Start, answered, events, function, stream, whole

QUESTION = {"role": "user", "content": "What now?"}


def call(call_id: str, name: str = "look_up", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}", **more}


def result(call_id: str, output: Any = "found") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def told_call(call_id: str, name: str = "look_up", arguments: str = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_string_is_what_the_user_says(sent: Sent) -> None:
    messages = sent(input="Hello", instructions="Be kind.")["messages"]

    assert [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
    ] == messages


def test_items_of_one_turn_are_one_message(sent: Sent) -> None:
    """Thoughts, words and calls of the model's go back as the message they came in."""
    messages = sent(
        input=[
            QUESTION,
            {
                "type": "reasoning",
                "id": "rs",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "Hm"}],
            },
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait."}]},
            call("call_1"),
            call("call_2"),
            result("call_1"),
            result("call_2", [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]),
        ]
    )["messages"]

    assert [
        {"role": "user", "content": "What now?"},
        {
            "role": "assistant",
            "content": "Wait.",
            "reasoning_content": "Hm",
            "tool_calls": [told_call("call_1"), told_call("call_2")],
        },
        {"role": "tool", "content": "found", "tool_call_id": "call_1"},
        {"role": "tool", "content": "a\nb", "tool_call_id": "call_2"},
    ] == messages


def test_thoughts_that_led_nowhere_are_left_out(sent: Sent) -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}

    assert ["user"] == [message["role"] for message in sent(input=[thought, QUESTION])["messages"]]


@pytest.mark.parametrize(
    ("reasoning", "told"),
    [
        ({"summary": [], "content": [{"type": "reasoning_text", "text": "clear"}]}, "clear"),
        ({"summary": [], "encrypted_content": SEALER.seal("sealed", tenant="team")}, "sealed"),
        ({"summary": [{"type": "summary_text", "text": "brief"}]}, "brief"),
        ({"summary": [], "encrypted_content": SEALER.seal("theirs", tenant="others")}, None),
        ({"summary": [], "encrypted_content": "gAAAA of OpenAI's"}, None),
    ],
    ids=["in clear", "sealed", "as a summary", "sealed for others", "sealed elsewhere"],
)
def test_reasoning_comes_back_however_it_was_told(sent: Sent, reasoning: dict[str, Any], told: str | None) -> None:
    """GLM gets its own words back; an envelope of anybody else's is as good as none."""
    items = [QUESTION, {"type": "reasoning", **reasoning}, call("call_1"), result("call_1")]

    assert told == sent(input=items)["messages"][1].get("reasoning_content")


def test_reasoning_that_a_client_drops_is_remembered_for_its_call(sent: Sent, start: Start) -> None:
    first = start(tools=[function()])
    answered(
        first,
        whole({"reasoning_content": "Hm", "tool_calls": [told_call("call_1")]}, finish_reason="tool_calls"),
    )

    messages = sent(input=[QUESTION, call("call_1"), result("call_1")], recalled=first.leave)["messages"]

    assert "Hm" == messages[1]["reasoning_content"]


def test_pictures_that_tools_return_are_shown_after_the_results(sent: Sent) -> None:
    """GLM takes pictures from users only."""
    picture = {"type": "input_image", "image_url": "https://example.com/a.png"}
    items = [QUESTION, call("call_1"), call("call_2"), result("call_1", [picture]), result("call_2")]

    messages = sent(model="glm-4.6v", input=items)["messages"]

    assert ["user", "assistant", "tool", "tool", "user"] == [message["role"] for message in messages]
    assert {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}} == messages[4]["content"][1]


def test_tools_of_every_kind_become_functions(sent: Sent) -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: 'x'"}
    tools = [
        function(description="Looks up."),
        {"type": "custom", "name": "patch", "format": grammar},
        {"type": "namespace", "name": "far", "description": "Far things.", "tools": [function("away")]},
    ]
    body = sent(tools=tools)

    first, second, third = (tool["function"] for tool in body["tools"])
    assert {"name": "look_up", "description": "Looks up.", "parameters": {"type": "object"}} == first
    assert "start: 'x'" in second["description"]
    assert ["input"] == second["parameters"]["required"]
    assert "far__away" == third["name"]
    assert "Far things." in body["messages"][0]["content"]


def test_call_in_a_namespace_has_its_own_name_again(start: Start, sent: Sent) -> None:
    tools = [{"type": "namespace", "name": "n" * 60, "tools": [function("away")]}]
    flat = sent(tools=tools)["tools"][0]["function"]["name"]
    assert 64 == len(flat)

    response = answered(
        start(tools=tools), whole({"tool_calls": [told_call("call_1", flat)]}, finish_reason="tool_calls")
    )

    (item,) = response["output"]
    assert ("away", "n" * 60) == (item["name"], item["namespace"])
    again = sent(tools=tools, input=[QUESTION, item, result("call_1")])["messages"]
    assert flat == again[-2]["tool_calls"][0]["function"]["name"]


def test_search_is_zhipus(sent: Sent) -> None:
    tools = [
        {"type": "web_search", "search_context_size": "high", "filters": {"allowed_domains": ["example.com"]}},
        {"type": "web_search", "web_search": {"enable": True, "search_engine": "search_pro"}},
    ]

    first, second = (tool["web_search"] for tool in sent(tools=tools)["tools"])

    assert ("high", "example.com", True) == (
        first["content_size"],
        first["search_domain_filter"],
        first["search_result"],
    )
    assert {"enable": True, "search_engine": "search_pro"} == second


def test_search_without_the_web_is_left_out(start: Start) -> None:
    job = start(tools=[{"type": "web_search", "external_web_access": False}])

    assert ["tools[0]"] == list(job.ignored)
    assert "tools" not in msgspec.json.decode(job.calls[0].body)


@pytest.mark.parametrize(
    ("choice", "offered"),
    [
        ("auto", ["look_up", "run"]),
        ("none", []),
        ("required", ["look_up", "run"]),
        ({"type": "function", "name": "look_up"}, ["look_up"]),
        ({"type": "custom", "name": "run"}, ["run"]),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "custom", "name": "run"}]}, ["run"]),
    ],
    ids=["auto", "none", "required", "function", "custom", "allowed"],
)
def test_choice_says_what_is_offered(sent: Sent, choice: Any, offered: list[str]) -> None:
    body = sent(tools=[function(), {"type": "custom", "name": "run"}], tool_choice=choice)

    assert offered == [tool["function"]["name"] for tool in body.get("tools", [])]


def test_settings_go_the_way_of_chat(sent: Sent) -> None:
    body = sent(
        max_output_tokens=99,
        temperature=0,
        reasoning={"effort": "none"},
        safety_identifier="u1",
        text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
    )

    assert 99 == body["max_tokens"]
    assert body["do_sample"] is False
    assert {"type": "disabled"} == body["thinking"]
    assert "user-u1" == body["user_id"]
    assert {"type": "json_object"} == body["response_format"]


def test_response_says_how_it_was_asked_for(start: Start) -> None:
    tools = [function(strict=True)]
    fields: dict[str, Any] = {
        "instructions": "Be kind.",
        "metadata": {"a": "b"},
        "tools": tools,
        "tool_choice": {"type": "function", "name": "look_up"},
        "temperature": 0.5,
        "parallel_tool_calls": False,
        "reasoning": {"effort": "low"},
        "store": False,
    }

    response = answered(start(**fields), whole({"tool_calls": [told_call("call_1")]}, finish_reason="tool_calls"))

    said = {name: response[name] for name in fields}
    assert fields | {"reasoning": {"effort": "low", "summary": None}} == said
    assert {"format": {"type": "text"}, "verbosity": "medium"} == response["text"]


def test_what_cannot_be_included_is_listed(start: Start) -> None:
    """A newer client may ask for what nobody here has heard of."""
    job = start(
        include=[
            "reasoning.encrypted_content",
            "file_search_call.results",
            "web_search_call.action.sources",
            "message.input_image.image_url",
            "tomorrow",
        ]
    )

    assert ["include[1]", "include[4]"] == list(job.ignored)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": [QUESTION, {"type": "computer_call"}]}, "input[1].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].image_url"),
        ({"input": [{"role": "user", "content": [{"type": "noise"}]}]}, "input[0].content[0].type"),
        ({"input": [{"type": "function_call", "call_id": "a"}]}, "input[0].name"),
        ({"input": [7]}, "input[0]"),
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"tools": [{"type": "file_search"}]}, "tools[0].type"),
        ({"tools": [function(), {"type": "mcp", "server_label": "x"}]}, "tools[1].type"),
        ({"tools": [function("a b")]}, "tools[0].name"),
        ({"tools": [function(parameters=[])]}, "tools[0].parameters"),
        ({"tools": [function()], "tool_choice": {"type": "function", "name": "other"}}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"top_logprobs": 3}, "top_logprobs"),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "string"}}}},
            "text.format.schema",
        ),
        ({"text": {"format": {"type": "json_schema", "name": "a b", "schema": {}}}}, "text.format.name"),
        ({"reasoning": {"effort": "utter"}}, "reasoning.effort"),
        (
            {
                "model": "glm-4.7",
                "instructions": "Look.",
                "input": [
                    QUESTION,
                    {
                        "role": "user",
                        "content": [{"type": "input_image", "image_url": "https://example.com/a.png"}],
                    },
                ],
            },
            "input[1].content[0]",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_name(start: Start, fields: dict[str, Any], param: str) -> None:
    """The field is named as the caller wrote it, not as chat would call it."""
    with pytest.raises(InvalidRequest) as caught:
        start(**fields)

    assert param == caught.value.param


def test_what_has_no_effect_is_listed_by_the_callers_name(start: Start) -> None:
    job = start(
        truncation="auto",
        service_tier="flex",
        text={"verbosity": "low"},
        tools=[{"type": "web_search", "user_location": {"type": "approximate"}}],
        nonsense=1,
    )

    assert {"truncation", "service_tier", "text.verbosity", "tools[0].user_location", "nonsense"} == set(
        job.ignored
    )


def test_strict_tenant_is_told_of_unknown_fields(start: Start) -> None:
    with pytest.raises(InvalidRequest) as caught:
        start(strict=True, nonsense=1)

    assert "nonsense" == caught.value.param
    with pytest.raises(InvalidRequest) as caught:
        start(strict=True, include=["reasoning.encrypted_content", "tomorrow"])

    assert "include[1]" == caught.value.param


# What earlier responses left behind.


def test_conversation_goes_on(start: Start, sent: Sent) -> None:
    """The earlier instructions do not come along; everything else does."""
    first = start(input="My name is Ada.", instructions="Be kind.")
    response = answered(first, whole({"reasoning_content": "Hm", "content": "Hello Ada."}))
    second = start(input="And?", previous_response_id=response["id"], recalled=first.leave)
    answered(second, whole({"content": "Well."}))

    messages = sent(input="Who am I?", previous_response_id=response["id"], recalled=second.leave)["messages"]

    assert [
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": "Hello Ada.", "reasoning_content": "Hm"},
        {"role": "user", "content": "And?"},
        {"role": "assistant", "content": "Well."},
        {"role": "user", "content": "Who am I?"},
    ] == messages


def test_streamed_response_is_kept_too(start: Start) -> None:
    job = start(stream=True)
    final = events(stream(job, [{"content": "Yes"}, {"finish_reason": "stop"}]))[-1]["response"]

    assert final == msgspec.json.decode(job.leave[final["id"]])["response"]


def test_item_is_found_by_its_id(start: Start, sent: Sent) -> None:
    first = start(tools=[function()])
    response = answered(first, whole({"tool_calls": [told_call("call_1")]}, finish_reason="tool_calls"))
    reference = {"type": "item_reference", "id": response["output"][0]["id"]}

    messages = sent(input=[QUESTION, reference, result("call_1")], recalled=first.leave)["messages"]

    assert [told_call("call_1")] == messages[1]["tool_calls"]


@pytest.mark.parametrize("fields", [{"store": False}, {"keeps": False}])
def test_what_is_not_to_be_kept_is_not(start: Start, fields: dict[str, Any]) -> None:
    job = start(**fields)
    answered(job, whole({"content": "Yes"}))

    assert not job.leave


def test_store_has_no_effect_where_nothing_is_kept(start: Start) -> None:
    assert ["store"] == list(start(store=True, keeps=False).ignored)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_gone"}, "previous_response_id"),
        ({"input": [{"id": "msg_gone_1"}]}, "input[0].id"),
        ({"input": [{"type": "item_reference", "id": "../../etc"}]}, "input[0].id"),
    ],
)
def test_what_is_not_known_is_not_found(start: Start, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(ResponseNotFound) as caught:
        start(**fields)

    assert param == caught.value.param


def test_response_that_is_not_done_cannot_be_gone_on_with(start: Start) -> None:
    raw = msgspec.Raw(b'{"id":"resp_1","status":"in_progress","output":[]}')
    with pytest.raises(InvalidRequest) as caught:
        start(previous_response_id="resp_1", recalled={"resp_1": write(Kept(response=raw, context=[]))})

    assert "response_not_done" == caught.value.code


def test_only_requests_that_are_heard_are_heavy() -> None:
    """All others are translated where they are read, without a thread."""
    sound = {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}
    inputs: list[Any] = [
        "input_audio",
        [{"role": "user", "content": "input_audio"}],
        [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
        [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}, sound]}],
    ]

    heavy = [read(msgspec.json.encode({"model": "glm-4-voice", "input": one})).heavy for one in inputs]

    assert [False, False, False, True] == heavy

"""What texts order the model to do."""

import pytest

from gateway.simulator.chat.orders import asks_for_json, functions_to_call, keys_to_use, list_to_fill

FUNCTIONS = [{"name": name} for name in ("get_time", "answer", "get_time_zone")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("You must answer by calling the function 'get_time'. No text.", ["get_time"], id="named"),
        pytest.param("You must call get_time_zone now", ["get_time_zone"], id="named without a word"),
        pytest.param("The tool `get_time` MUST be called!", ["get_time"], id="passive"),
        pytest.param(
            "Be kind.\nYou must always call one of the tools.",
            ["get_time", "answer", "get_time_zone"],
            id="any of them",
        ),
        pytest.param(
            "You must answer by calling one of the functions you were given.",
            ["get_time", "answer", "get_time_zone"],
            id="a verb that is a name too",
        ),
        pytest.param("你必须调用函数 get_time。", ["get_time"], id="zh"),
        pytest.param("You must not call a function.", [], id="forbidden"),
        pytest.param("You must call your mother.", [], id="another call"),
        pytest.param("You may call the function 'get_time'.", [], id="allowed"),
        pytest.param("If it is late, you must call the function 'get_time'.", [], id="on an occasion"),
        pytest.param("You must be kind. Calling functions is fine.", [], id="two sentences"),
    ],
)
def test_functions_to_call_are_those_a_sentence_insists_on(text: str, names: list[str]) -> None:
    """An order names functions or leaves the choice; anything less is none."""
    assert [function["name"] for function in functions_to_call(text, functions=FUNCTIONS)] == names


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Answer with one JSON object and nothing else", True),
        ("Unless you call a function, answer with one JSON object", True),
        ("Always respond with JSON", True),
        ("请以JSON格式输出", True),
        ("You know all about JSON", False),
        ("Answer in verse. JSON is dull", False),
    ],
)
def test_json_is_asked_for_when_the_answer_has_to_be_json(text: str, wanted: bool) -> None:  # noqa: FBT001
    """A mention is no order."""
    assert asks_for_json(text) == wanted


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Return JSON with 'setup' and 'punchline' keys", ["setup", "punchline"]),
        ('with the fields "a", "b", and "c"', ["a", "b", "c"]),
        ("an object with a key named `and`", ["and"]),
        ("Tell me of the 'cat'. The 'title' field is short", ["title"]),
        ('{"key": "value"}', []),
        ("the keys of my car", []),
        ("Tell me of the 'cat'", []),
    ],
)
def test_keys_are_the_quoted_names_that_are_called_so(text: str, keys: list[str]) -> None:
    """Other quotations are not keys."""
    assert keys_to_use(text) == keys


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('Answer with a JSON object {"texts": [...]} in the same order.', "texts"),
        ('Answer with {"texts": "..."}.', None),
        ("Answer with JSON.", None),
    ],
)
def test_list_to_fill_is_the_one_that_is_shown(text: str, key: str | None) -> None:
    assert key == list_to_fill(text)

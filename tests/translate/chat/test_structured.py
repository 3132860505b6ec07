"""Answers that keep to a JSON Schema: cut out of the text, and checked."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import InvalidRequest
from gateway.translate.chat.structured import JsonText, Schema

Sent = Callable[..., dict[str, Any]]

POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}


def cut(text: str, opening: str = "{") -> str:
    found = JsonText(opening=opening)
    assert found.feed(text) == found.text
    return found.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"x":1}', '{"x":1}', id="bare"),
        pytest.param('```json\n{"x":1}\n```', '{"x":1}', id="fenced"),
        pytest.param('Here it is:\n{"x":1}\nAnything else?', '{"x":1}', id="between words"),
        pytest.param('{"x":"}"}', '{"x":"}"}', id="a brace in a string"),
        pytest.param('{"x":"\\"}"} }', '{"x":"\\"}"}', id="an escaped quote"),
        pytest.param('{"x":"\\\\"} }', '{"x":"\\\\"}', id="an escaped backslash"),
        pytest.param('{"x":[{"y":1}]}{', '{"x":[{"y":1}]}', id="nested"),
        pytest.param('As [1] says: {"x":1}', '{"x":1}', id="a bracket before it"),
        pytest.param('In {braces}, \\boxed{2}, { or {{: {"x":1}', '{"x":1}', id="braces before it"),
        pytest.param('{name} is { "x": 1 }', '{ "x": 1 }', id="spaces inside"),
        pytest.param("{'x':1}", "", id="braces, but no JSON"),
        pytest.param('{"x":', '{"x":', id="cut short"),
        pytest.param("I cannot do that.", "", id="none"),
    ],
)
def test_json_is_cut_out_of_the_text(text: str, expected: str) -> None:
    """Fences, greetings and explanations stay behind."""
    assert expected == cut(text)


def test_array_is_cut_out_when_the_schema_is_of_one() -> None:
    """The schema says which bracket to look for."""
    assert cut('{a} [ref_1]: [ {"x":1}] ok', opening=Schema({"type": "array"}, name="s").opening) == '[ {"x":1}]'


def test_bracket_at_the_end_may_have_begun_a_value() -> None:
    """Whoever says that much did not refuse."""
    found = JsonText(opening="{")

    assert ([*map(found.feed, ["Here: {", " \n"])], found.text) == (["", ""], "{ \n")


def test_only_the_first_value_counts_when_there_are_two() -> None:
    """Two objects in a row are no JSON."""
    found = JsonText(opening="{")

    assert "".join(map(found.feed, '{"x":1}\n{"x":2}')) == '{"x":1}'


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
WORDS = st.text(st.sampled_from('{ {{\nx[":') | st.characters(exclude_categories=["Cs"])).filter(
    lambda words: JsonText(opening="{").feed(words + "x") == ""
)


@given(st.dictionaries(st.text(), VALUES), WORDS, WORDS, st.lists(st.integers(0, 200)), st.booleans())
@example({"\\": '"'}, "```json\n", "\n```", [4, 5, 6, 7, 8, 9, 10, 11], False)
def test_json_comes_out_whole_however_the_text_is_cut(
    value: dict[str, Any],
    before: str,
    after: str,
    cuts: list[int],
    ascii_only: bool,  # noqa: FBT001
) -> None:
    """Any value, between any words, in any chunks."""
    wanted = json.dumps(value, ensure_ascii=ascii_only)
    text = before + wanted + after
    edges = [0, *sorted(cuts), len(text)]
    found = JsonText(opening="{")

    told = "".join(found.feed(text[start:end]) for start, end in pairwise(edges))

    assert wanted == told == found.text
    assert found.before == before.strip()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"x":1}', None),
        ('{"x":"1"}', "it breaks the schema at /properties/x/type"),
        ("{}", "it breaks the schema at /required"),
        ('{"x":1,"y":2}', "it breaks the schema at /additionalProperties"),
        ('{"x":1', "it is not complete, valid JSON"),
        ("", "it is not complete, valid JSON"),
        ('{"x":NaN}', "it is not complete, valid JSON"),
        ('{"x":' + "[" * 100_000, "it is not complete, valid JSON"),
    ],
    ids=["valid", "wrong type", "missing", "too much", "cut short", "empty", "NaN", "nested"],
)
def test_fault_is_told_in_the_schemas_terms(text: str, fault: str | None) -> None:
    """What the model is told to mend is a place in the schema, never a piece of its answer."""
    assert fault == Schema(POINT, name="point").fault(text)


@pytest.mark.parametrize(
    "schema",
    [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"not": {"$ref": "#"}}],
    ids=["itself", "further in", "not"],
)
def test_schema_that_goes_in_circles_comes_to_an_end(schema: dict[str, Any]) -> None:
    """A hostile schema costs an answer, never the process."""
    Schema(schema, name="s").fault('{"x":1}')


def test_pattern_that_backtracks_for_long_is_given_up() -> None:
    """It would match in the end; nobody's stream waits for that."""
    schema = Schema({"properties": {"x": {"pattern": "^(?:(a|aa)+\\1b|a+)$(?!z)"}}}, name="s")

    assert schema.fault(json.dumps({"x": "a" * 6})) is None
    assert schema.fault(json.dumps({"x": "a" * 22})) == "it breaks the schema at /properties/x/pattern"


def test_fault_of_alternatives_that_lead_back_is_found_without_trying_them_all() -> None:
    """Each level of the answer would double the work of naming the fault, while everybody else waits."""
    again = {"$ref": "#"}
    schema = {"type": "object", "properties": {"x": {"oneOf": [again, again]}}}

    assert Schema(schema, name="s").fault('{"x":' * 24 + "{}" + "}" * 24) == "it breaks the schema"


def test_schema_reads_no_file(tmp_path: Path) -> None:
    """A reference to a schema that is there is refused like one to what is not."""
    (tmp_path / "s.json").write_text("{}")

    with pytest.raises(InvalidRequest):
        Schema({"$ref": (tmp_path / "s.json").as_uri()}, name="s")


def test_answer_is_checked_however_deep_it_is() -> None:
    """What can be read can be validated."""
    assert Schema({"type": "object"}, name="s").fault('{"x":' + "[" * 500 + "]" * 500 + "}") is None


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"x": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"type": "objekt"}, id="unknown type"),
        pytest.param({"type": 3}, id="type of a wrong type"),
        pytest.param({"properties": 3}, id="no schema"),
        pytest.param({"type": "string"}, id="a string"),
        pytest.param({"type": ["string", "null"]}, id="a string or null"),
        pytest.param({"$ref": "https://example.com/schema"}, id="another document"),
        pytest.param({"$ref": "file:///etc/passwd"}, id="a file"),
        pytest.param({"$schema": "https://example.com/meta"}, id="a dialect of its own"),
        pytest.param({"pattern": "((((a{1000}){1000}){1000}){1000})"}, id="a pattern too large"),
        pytest.param({"pattern": "("}, id="no pattern"),
        pytest.param(deep(400), id="nested deeply"),
    ],
)
def test_schema_is_refused_when_it_cannot_be_kept(sent: Sent, schema: dict[str, Any]) -> None:
    """A schema we cannot check is the caller's to mend, and is named."""
    with pytest.raises(InvalidRequest) as refusal:
        sent(response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": schema}})

    assert refusal.value.param == "response_format.json_schema.schema"


def test_schema_travels_in_the_instructions(sent: Sent) -> None:
    """GLM takes ``json_object`` only, and ignores a ``json_schema`` without a word."""
    wanted = {"name": "point", "description": "A place.", "schema": POINT, "strict": True}

    body = sent(response_format={"type": "json_schema", "json_schema": wanted})
    system = body["messages"][0]["content"]

    assert body["response_format"] == {"type": "json_object"}
    assert json.dumps(POINT, separators=(",", ":")) in system
    assert "'point' (A place.)" in system
    assert system.startswith("Answer with one JSON object")


def test_schema_leaves_room_for_calls_when_there_are_tools(sent: Sent) -> None:
    """A model told to answer in nothing but JSON would never call a tool."""
    body = sent(
        response_format={"type": "json_schema", "json_schema": {"name": "point", "schema": POINT}},
        tools=[{"type": "function", "function": {"name": "f"}}],
    )

    assert body["messages"][0]["content"].startswith("Unless you call a function, answer with")


def test_json_mode_is_instructed_when_the_model_has_none(sent: Sent) -> None:
    """Vision models refuse ``response_format``."""
    body = sent(model="glm-4.6v", response_format={"type": "json_object"})

    assert "response_format" not in body
    assert "one JSON object" in body["messages"][0]["content"]

"""
Answers that keep to a JSON Schema, which GLM does not offer: instructed, cut out of the text, validated.

GLM takes ``json_object`` only, answers ``json_schema`` with 200 and ignores it, and likes to wrap JSON in code
fences. So the schema goes into the instructions and the answer is checked here.
"""

import re
from typing import Any

import jsonschema_rs
import msgspec

from gateway.errors import InvalidRequest
from gateway.openai.chat import requests as openai
from gateway.translate.chat.branching import is_bounded

MARKS = re.compile(r'["\\{}\[\]]')
SPACE = " \t\n\r"
OPENINGS = {
    "{": re.compile(r'\{[ \t\n\r]*(?:(?=["}])|\Z)'),
    "[": re.compile(r"""\[[ \t\n\r]*(?:(?=["{\[\]\-0-9tfn])|\Z)"""),
}
"""Brackets that JSON may follow, or that are the last so far; others are of the words around it."""

ANY_OPENING = "".join(OPENINGS)
OPENINGS[ANY_OPENING] = re.compile("|".join(opening.pattern for opening in OPENINGS.values()))

MAX_BACKTRACKS = 10_000
"""What a pattern may cost, as it is matched between the chunks of everybody else's streams."""

MAX_FAULT_CHARACTERS = 300
ANY_OBJECT: dict[str, Any] = {"type": "object"}
KINDS = {"{": "object", "[": "array"}
PARAM = "response_format.json_schema.schema"


class Schema:
    """
    A JSON Schema an answer has to keep; ``opening`` is the bracket that its values begin with.

    Raises InvalidRequest when it is not a schema, refers to another document, or is not of an object or array:
    the caller's fault.
    """

    def __init__(self, schema: dict[str, Any], *, name: str, description: str | None = None) -> None:
        self._schema = schema
        self._name = name
        self._description = description
        self.opening = opening_of(schema)
        try:
            self._text = msgspec.json.encode(schema).decode()
            self._validator = jsonschema_rs.validator_for(
                schema,
                offline=True,
                validate_formats=False,
                pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=MAX_BACKTRACKS),
            )
        except (
            ValueError,
            RecursionError,
            jsonschema_rs.ValidationError,
            jsonschema_rs.ReferencingError,
        ) as error:
            raise InvalidRequest(
                "'schema' is not a valid JSON Schema. Check its keywords; '$ref' may only point inside it.",
                param=PARAM,
                code="invalid_value",
            ) from error

    def instruction(self, *, beside_tools: bool) -> str:
        """Return what the model is told; ``beside_tools`` leaves it the choice of calling one instead."""
        condition = "Unless you call a function, answer" if beside_tools else "Answer"
        meaning = f" ({self._description})" if self._description else ""
        return (
            f"{condition} with one JSON {KINDS[self.opening]} and nothing else: no code fence, no comment. "
            f"It must be valid against this JSON Schema, named '{self._name}'{meaning}:\n{self._text}"
        )

    def fault(self, text: str) -> str | None:
        """Return what is wrong with an answer in the schema's terms, None when it is valid."""
        try:
            instance = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return "it is not complete, valid JSON"
        if self._validator.is_valid(instance):
            return None
        if not is_bounded(self._schema, instance):
            return "it breaks the schema"
        try:
            self._validator.validate(instance)
        except jsonschema_rs.ValidationError as error:
            return f"it breaks the schema at /{'/'.join(map(str, error.schema_path))}"[:MAX_FAULT_CHARACTERS]
        return None


def opening_of(schema: dict[str, Any]) -> str:
    """Return the bracket that values of a schema begin with; raise InvalidRequest when they have none."""
    kinds = schema.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    found = next((opening for opening, kind in KINDS.items() if kind in kinds), None)
    if found is None:
        raise InvalidRequest(
            "A JSON Schema for answers must be of type 'object' or 'array'. Wrap the value in an object.",
            param=PARAM,
            code="unsupported_value",
        )
    return found


def schema_of(format: openai.ResponseFormat | None, *, json_object: bool) -> Schema | None:  # noqa: A002
    """
    Return the schema that a response format asks for, None when GLM does it all.

    ``json_object`` tells whether the model has a JSON mode; without one, any object is asked for this way.
    """
    match format:
        case None:
            return None
        case openai.JsonSchemaFormat(json_schema=wanted):
            schema = ANY_OBJECT if wanted.schema is None else wanted.schema
            return Schema(schema, name=wanted.name, description=wanted.description)
        case openai.JsonObjectFormat() if not json_object:
            return Schema(ANY_OBJECT, name="answer")
        case _:
            return None


class JsonText:
    """
    The JSON value inside a text that comes in pieces.

    Drops what stands before the ``opening`` bracket (``ANY_OPENING``: either) and after its match: fences,
    greetings, explanations. A bracket that no JSON follows, as in ``{this}``, opens nothing.
    """

    def __init__(self, *, opening: str) -> None:
        self.found: list[str] = []
        self.opening = opening
        self._before: list[str] = []
        self._held: list[str] = []
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._done = False

    def feed(self, text: str) -> str:
        """Return the part of ``text`` that belongs to the value."""
        if self._done or not text:
            return ""
        if not self._depth:
            text = self._begin(text)
            if not text:
                return ""
        piece = text[: self._end(text)]
        self.found.append(piece)
        return piece

    @property
    def text(self) -> str:
        """The value so far, empty when none has begun."""
        return "".join(self.found or self._held)

    @property
    def before(self) -> str:
        """What was said instead of, or before, the value."""
        return "".join(self._before).strip()

    @property
    def instead(self) -> str:
        """All that was said as it was said where there was no value, empty when there is one."""
        return "" if self.found else "".join([*self._before, *self._held])

    def _begin(self, text: str) -> str:
        """Return a text from where the value begins, empty where that is not known yet."""
        if self._held:
            if not text.lstrip(SPACE):
                self._held.append(text)
                return ""
            text = "".join([*self._held, text])
            self._held.clear()
        bracket = OPENINGS[self.opening].search(text)
        start = len(text) if bracket is None else bracket.start()
        self._before.append(text[:start])
        if bracket is not None and bracket.end() == len(text):
            self._held.append(text[start:])
            return ""
        return text[start:]

    def _end(self, text: str) -> int:
        position = 0
        while position < len(text):
            if self._escaped:
                self._escaped = False
                position += 1
                continue
            match = MARKS.search(text, position)
            if match is None:
                return len(text)
            position = match.end()
            if self._step(match.group()):
                return position
        return len(text)

    def _step(self, mark: str) -> bool:
        """Take one mark; True when it closes the value."""
        if mark == "\\":
            self._escaped = True
        elif mark == '"':
            self._in_string = not self._in_string
        elif not self._in_string:
            self._depth += 1 if mark in "{[" else -1
            self._done = self._depth == 0
        return self._done

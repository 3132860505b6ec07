"""
Answers that keep to a JSON Schema, which GLM does not offer: instructed, cut out of the text, validated.

GLM takes ``json_object`` only, answers ``json_schema`` with 200 and ignores it, and likes to wrap JSON in code
fences. So the schema goes into the instructions and the answer is checked here.
"""

import json
import re
from typing import Any, NoReturn

import jsonschema_rs

from gateway.errors import InvalidOutput, InvalidRequest
from gateway.openai import chat as openai

MARKS = re.compile(r'["\\{}\[\]]')
MAX_BACKTRACKS = 100_000
ANY_OBJECT: dict[str, Any] = {"type": "object"}


class Schema:
    """
    A JSON Schema an answer has to keep.

    Raises InvalidRequest when it is not a schema, or refers to another document: the caller's fault.
    """

    def __init__(self, schema: dict[str, Any], *, name: str = "answer") -> None:
        self.name = name
        try:
            self.text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
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
                param="response_format.json_schema.schema",
            ) from error

    @property
    def instruction(self) -> str:
        """What the model is told."""
        return (
            f"Answer with one JSON object and nothing else: no code fence, no comment. "
            f"It must be valid against this JSON Schema, named '{self.name}':\n{self.text}"
        )

    def fault(self, text: str) -> str | None:
        """Return what is wrong with an answer in the schema's terms, None when it is valid."""
        try:
            instance = json.loads(text)
        except (ValueError, RecursionError):
            return "it is not complete, valid JSON"
        error = next(iter(self._validator.iter_errors(instance)), None)
        if error is None:
            return None
        return f"it breaks the schema at /{'/'.join(map(str, error.schema_path))}"


def schema_of(format: openai.ResponseFormat | None, *, json_object: bool) -> Schema | None:  # noqa: A002
    """
    Return the schema that a response format asks for, None when GLM does it all.

    ``json_object`` tells whether the model has a JSON mode; without one, any object is asked for this way.
    """
    match format:
        case openai.JsonSchemaFormat(json_schema=wanted):
            return Schema(wanted.schema if wanted.schema is not None else ANY_OBJECT, name=wanted.name)
        case openai.JsonObjectFormat() if not json_object:
            return Schema(ANY_OBJECT)
        case _:
            return None


def refuse_output(fault: str) -> NoReturn:
    """Raise InvalidOutput for an answer that is wrong."""
    raise InvalidOutput(
        f"The model's answer does not keep to the JSON schema: {fault}. "
        "Ask again, simplify the schema, or use a larger model."
    )


def repair_request(fault: str) -> str:
    """Return what to tell the model so that it mends its answer."""
    return f"Your answer cannot be used: {fault}. Answer again with the whole, corrected JSON and nothing else."


class JsonText:
    """
    The JSON value inside a text that comes in pieces.

    Drops what stands before the first brace or bracket and after its match: fences, greetings, explanations.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self._before: list[str] = []
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._done = False

    def feed(self, text: str) -> str:
        """Return the part of ``text`` that belongs to the value."""
        if self._done or not text:
            return ""
        start = 0
        if not self._depth:
            start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
            if start < 0:
                self._before.append(text)
                return ""
        piece = text[start : self._end(text, start)]
        self.found.append(piece)
        return piece

    @property
    def text(self) -> str:
        """The value so far, empty when none has begun."""
        return "".join(self.found)

    @property
    def before(self) -> str:
        """What was said instead of, or before, the value."""
        return "".join(self._before).strip()

    def _end(self, text: str, start: int) -> int:
        position = start
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
            self._escaped = self._in_string
        elif mark == '"':
            self._in_string = not self._in_string
        elif not self._in_string:
            self._depth += 1 if mark in "{[" else -1
            self._done = self._depth == 0
        return self._done

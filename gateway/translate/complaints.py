"""
What msgspec says about a wrong field, told in the words of JSON, with the field's path and what would be right.

Nothing of what the caller sent is repeated: a wrong value may be a prompt.
"""

import re
from collections.abc import Sequence

from msgspec import inspect

from gateway.errors import InvalidRequest

PLACE = re.compile(r"^(?P<said>.*) - at `(?P<path>\$[^`]*)`$", re.DOTALL)
MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]*)`$")
WRONG_TYPE = re.compile(r"^Expected `(?P<wanted>[^`]*)`(?:, got `(?P<got>[^`]*)`)?$")
OUT_OF_BOUNDS = re.compile(r"^Expected `(?P<wanted>[^`]*)` (?P<bound>of length )?(?P<sign>[<>]=?) (?P<limit>\S+)$")
MISMATCH = re.compile(r"^Expected `str` matching regex (?P<pattern>'.*')$")
STEP = re.compile(r"\[[^\]]*\]|[^.\[\]]+")

NAMES = {
    "str": "a string",
    "bytes": "base64",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
COUNTED = {"str": " characters", "array": " items", "object": " entries"}
NO_BASE64 = "Invalid base64 encoded string"
OUT_OF_RANGE = ("Number out of range", "Integer value out of range")


def invalid_field(message: str, *, kind: type) -> InvalidRequest:
    """Return the error for msgspec's ``message`` about a request of this ``kind``."""
    place = PLACE.match(message)
    said, path = (place["said"], place["path"]) if place is not None else (message, "$")
    path = path.replace("[...]", "").removeprefix("$").removeprefix(".")
    if (missing := MISSING.match(said)) is not None:
        return missing_field(f"{path}.{missing['field']}" if path else missing["field"])
    if (wrong := WRONG_TYPE.match(said)) is not None:
        return missing_field(path) if path and wrong["got"] == "null" else wrong_type(wrong, path=path)
    if said in OUT_OF_RANGE:
        return invalid_value("the number is out of range", path=path)
    if said == NO_BASE64:
        return invalid_value("expected base64, padded and without line breaks", path=path)
    if (bound := OUT_OF_BOUNDS.match(said)) is not None:
        counted = COUNTED.get(bound["wanted"], "") if bound["bound"] else ""
        limit = f"{BOUNDS[bound['sign']]} {bound['limit']}{counted}"
        return invalid_value(f"expected {NAMES.get(bound['wanted'], bound['wanted'])} of {limit}", path=path)
    if (mismatch := MISMATCH.match(said)) is not None:
        return invalid_value(f"expected a string that matches {mismatch['pattern']}", path=path)
    words = allowed_words(inspect.type_info(kind), STEP.findall(path))
    listed = ", ".join(f"'{word}'" for word in dict.fromkeys(words))
    return invalid_value(f"supported are {listed}" if listed else "see the API reference", path=path)


def missing_field(path: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")


def wrong_type(found: "re.Match[str]", *, path: str) -> InvalidRequest:
    wanted = " or ".join(NAMES.get(name, name) for name in found["wanted"].split(" | ") if name != "null")
    got = f", got {NAMES.get(found['got'], found['got'])}" if found["got"] else ""
    subject = f"Invalid type for '{path}'" if path else "Invalid type of the body"
    return InvalidRequest(f"{subject}: expected {wanted}{got}.", param=path or None, code="invalid_type")


def invalid_value(reason: str, *, path: str) -> InvalidRequest:
    return InvalidRequest(f"Invalid value for '{path}': {reason}.", param=path or None, code="invalid_value")


def allowed_words(kind: inspect.Type, path: Sequence[str]) -> list[str]:
    """Return the words that may stand at ``path`` in values of this ``kind``; of a union, those of all members."""
    match kind:
        case inspect.UnionType(types=members):
            return [word for member in members for word in allowed_words(member, path)]
        case inspect.LiteralType(values=values) if not path:
            return [str(value) for value in values]
        case inspect.ListType(item_type=item) if path and path[0].startswith("["):
            return allowed_words(item, path[1:])
        case inspect.StructType(tag_field=tag_field, tag=tag) if list(path) == [tag_field]:
            return [str(tag)]
        case inspect.StructType(fields=fields) if path:
            found = (field.type for field in fields if field.encode_name == path[0])
            return [word for field_type in found for word in allowed_words(field_type, path[1:])]
        case _:
            return []

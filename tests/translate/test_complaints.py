"""What a caller is told about a wrong field: where, what was expected, and nothing of what was sent."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from gateway.translate.complaints import invalid_field


class Text(Struct, tag_field="type", tag="text"):
    """A kind of part."""

    text: str


class Picture(Struct, tag_field="type", tag="picture"):
    """Another kind of part."""

    url: str | None = None


class Request(Struct):
    """A field for everything that can be wrong with one."""

    parts: str | list[Text | Picture] | None = None
    effort: Literal["low", "high"] | None = None
    share: Annotated[float, Meta(ge=0, le=1)] | None = None
    flag: bool | None = None
    count: int | None = None
    named: Annotated[str, Meta(min_length=2)] | None = None
    code: Annotated[str, Meta(pattern="^[a-z]+$")] | None = None
    many: Annotated[list[int], Meta(max_length=1)] | None = None
    bias: dict[str, float] | None = None
    sound: bytes = b""
    needed: int = 0


class Needy(Struct):
    """A field that has to come."""

    needed: int


def told(body: Any, kind: type = Request) -> tuple[str, str | None, str | None]:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.json.decode(raw, type=kind)
    complaint = invalid_field(str(error.value), kind=kind)
    return complaint.message, complaint.param, complaint.code


TYPE, VALUE, MISSING = "invalid_type", "invalid_value", "missing_required_parameter"
CASES = [
    ([], "Invalid type of the body: expected an object, got an array.", None, TYPE),
    ({"parts": 3}, "Invalid type for 'parts': expected a string or an array, got an integer.", "parts", TYPE),
    ({"parts": [3]}, "Invalid type for 'parts[0]': expected an object, got an integer.", "parts[0]", TYPE),
    ({"parts": [{}]}, "Missing required parameter: 'parts[0].type'.", "parts[0].type", MISSING),
    ({"parts": [{"type": "text"}]}, "Missing required parameter: 'parts[0].text'.", "parts[0].text", MISSING),
    (
        {"parts": [{"type": "sound"}]},
        "Invalid value for 'parts[0].type': supported are 'text', 'picture'.",
        "parts[0].type",
        VALUE,
    ),
    ({"parts": [{"type": 3}]}, "Invalid type for 'parts[0].type': expected a string.", "parts[0].type", TYPE),
    ({"effort": "huge"}, "Invalid value for 'effort': supported are 'high', 'low'.", "effort", VALUE),
    ({"share": 2}, "Invalid value for 'share': expected a number of at most 1.0.", "share", VALUE),
    ({"share": -1}, "Invalid value for 'share': expected a number of at least 0.0.", "share", VALUE),
    ({"flag": "yes"}, "Invalid type for 'flag': expected a boolean, got a string.", "flag", TYPE),
    (b'{"count":1e999}', "Invalid value for 'count': the number is out of range.", "count", VALUE),
    (b'{"count":%b}' % (b"9" * 5000), "Invalid value for 'count': the number is out of range.", "count", VALUE),
    ({"named": "x"}, "Invalid value for 'named': expected a string of at least 2 characters.", "named", VALUE),
    ({"code": "X"}, "Invalid value for 'code': expected a string that matches '^[a-z]+$'.", "code", VALUE),
    ({"many": [1, 2]}, "Invalid value for 'many': expected an array of at most 1 items.", "many", VALUE),
    ({"bias": {"a": "b"}}, "Invalid type for 'bias': expected a number, got a string.", "bias", TYPE),
    (
        {"sound": "no!"},
        "Invalid value for 'sound': expected base64, padded and without line breaks.",
        "sound",
        VALUE,
    ),
    ({"sound": 3}, "Invalid type for 'sound': expected base64, got an integer.", "sound", TYPE),
    ({"needed": None}, "Missing required parameter: 'needed'.", "needed", MISSING),
]


@pytest.mark.parametrize(("body", "message", "param", "code"), CASES, ids=[case[1][:60] for case in CASES])
def test_complaint_says_where_and_what_would_be_right(
    body: Any, message: str, param: str | None, code: str
) -> None:
    """Every complaint is a sentence in JSON's words, with the path and a code."""
    assert (message, param, code) == told(body)


def test_complaint_names_the_field_when_the_body_lacks_it() -> None:
    """A field missing at the top has a path of one step."""
    assert told({}, Needy) == ("Missing required parameter: 'needed'.", "needed", MISSING)


@pytest.mark.parametrize(
    "secret", ["my secret prompt", "my secret prompt - at `$.flag`", "'\n - at `my secret prompt", "`" * 3]
)
@pytest.mark.parametrize("place", ["effort", "type"])
def test_complaint_repeats_nothing_of_a_wrong_value(secret: str, place: str) -> None:
    """A value that stands in the wrong place may be a prompt; it is in no message and forges no path."""
    body = {"effort": secret} if place == "effort" else {"parts": [{"type": secret}]}

    message, param, _ = told(body)

    assert "secret" not in message
    assert "`" not in message
    assert param == ("effort" if place == "effort" else "parts[0].type")


def test_complaint_has_words_when_msgspec_says_something_new() -> None:
    """An unforeseen message of the library is not passed on."""
    complaint = invalid_field("Something 'secret' happened - at `$.flag`", kind=Request)

    assert (complaint.message, complaint.param) == ("Invalid value for 'flag': see the API reference.", "flag")

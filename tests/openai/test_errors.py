"""OpenAI's error body."""

import msgspec

from gateway.openai.errors import Error, ErrorResponse


def test_body_has_all_four_keys_when_two_are_null() -> None:
    """The spec requires the keys; clients of Go and .NET fail without."""
    body = ErrorResponse(error=Error(message="m", type="t", param=None, code=None))

    assert msgspec.json.encode(body) == b'{"error":{"message":"m","type":"t","param":null,"code":null}}'

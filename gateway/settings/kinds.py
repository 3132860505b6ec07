"""What single settings may be: numbers within bounds, and addresses in their several forms."""

from typing import Annotated

from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]

YEAR_SECONDS = 365 * 24 * 3600
Seconds = Annotated[float, Meta(ge=0, le=YEAR_SECONDS)]
PositiveSeconds = Annotated[float, Meta(gt=0, le=YEAR_SECONDS)]
LeaseSeconds = Annotated[float, Meta(ge=0.5, le=YEAR_SECONDS)]
"""Renewed in time even when Redis takes half of it for an answer, or a busy process a tenth of a second."""

Host = Annotated[str, Meta(min_length=1, description="a host name or address")]
Revision = Annotated[str, Meta(min_length=1, max_length=100, description="at most 100 characters")]
HttpUrl = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        description="an http:// or https:// address without user, query or fragment",
    ),
]
SocketUrl = Annotated[
    str,
    Meta(
        pattern=r"^(wss?://[^\s/?#@]+(/[^\s?#]*)?)?$",
        description="a ws:// or wss:// address without user, query or fragment",
    ),
]
KeySetUrl = Annotated[
    str,
    Meta(
        pattern=r"^(https://[^\s/?#@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)(/[^\s#]*)?$",
        description="an https:// address, or an http:// one of this machine",
    ),
]
Origin = Annotated[
    str,
    Meta(
        pattern=r"^(\*|https?://[^\s/?#@]+)$",
        description="'*' or origins such as https://app.example.com",
    ),
]
Voice = Annotated[str, Meta(min_length=1, description="a voice of GLM's, or the id of a cloned one")]

"""The platform's words."""

import msgspec
import pytest

from gateway.glm.errors import BUSINESS_CODES, ContentFilter
from gateway.simulator.refusals import Language, Refusal


@pytest.mark.parametrize(
    ("refusal", "language", "message"),
    [
        (Refusal("1214", "temperature"), "zh", "temperature 参数非法。请检查文档。"),
        (Refusal("1214", "temperature"), "en", "Invalid temperature parameter. Please check the documentation"),
        (Refusal("1215", "a", "b"), "en", "a and b cannot be set simultaneously"),
        (Refusal("1210"), "en", "Invalid API parameter, please check the documentation."),
        (Refusal("1308"), "en", "Usage limit reached for 5 hour. Your limit will reset at 1970-01-01 09:00:00"),
        (Refusal("1300"), "zh", "the call was blocked by policy"),
    ],
)
def test_message_names_its_subjects_in_the_language_asked_for(
    refusal: Refusal, language: Language, message: str
) -> None:
    """Chinese or English; a code without words of its own is told by its meaning."""
    assert refusal.body(language, now=0.0).error.message == message


@pytest.mark.parametrize("code", BUSINESS_CODES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_code_has_words(code: str, language: Language) -> None:
    """No wording has a placeholder nobody fills."""
    message = Refusal(code).body(language, now=0.0).error.message

    assert message
    assert "{" not in message


def test_body_has_only_what_is_known() -> None:
    """Request id and content filter are left out, not null."""
    bare = Refusal("1301").body("en", now=0.0)
    full = Refusal("1301", content_filter=[ContentFilter(role="user", level=1)]).body(
        "en", now=0.0, request_id="r"
    )

    assert set(msgspec.to_builtins(bare)) == {"error"}
    assert set(msgspec.to_builtins(full)) == {"error", "request_id", "contentFilter"}

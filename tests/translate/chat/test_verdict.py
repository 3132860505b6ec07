"""Whether an answer keeps its promises, and what is said when it does not."""

import pytest

from gateway.errors import InvalidOutput
from gateway.openai.chat.answers import FinishReason
from gateway.translate.chat.calls import Calls
from gateway.translate.chat.plan import Plan, Promise
from gateway.translate.chat.structured import Schema
from gateway.translate.chat.text import AnswerText
from gateway.translate.chat.verdict import MISSING_CALL, WRONG_CALL, fault_of, refusal_of, repair_request

FREE = Plan(id="c", created=1, model="m")
CALLING = Plan(id="c", created=1, model="m", promise=Promise(must_call=True))
SCHEMED = Plan(id="c", created=1, model="m", schema=Schema({"type": "object", "required": ["x"]}, name="s"))


def text(plan: Plan, said: str) -> AnswerText:
    heard = AnswerText(plan)
    heard.feed(said)
    return heard


@pytest.mark.parametrize(
    ("plan", "said", "reason", "fault"),
    [
        pytest.param(FREE, "anything", "stop", None, id="nothing promised"),
        pytest.param(CALLING, "text", "stop", MISSING_CALL, id="no call"),
        pytest.param(CALLING, "", "tool_calls", None, id="a call"),
        pytest.param(CALLING, "text", "length", None, id="no call, but cut short"),
        pytest.param(SCHEMED, '{"x":1}', "stop", None, id="valid"),
        pytest.param(SCHEMED, "{}", "stop", "it breaks the schema at /required", id="invalid"),
        pytest.param(SCHEMED, '{"x"', "length", None, id="cut short"),
        pytest.param(SCHEMED, "{", "content_filter", None, id="filtered"),
        pytest.param(SCHEMED, "", "tool_calls", None, id="a call instead"),
    ],
)
def test_fault_is_found_when_a_whole_answer_breaks_a_promise(
    plan: Plan, said: str, reason: FinishReason, fault: str | None
) -> None:
    """What was cut short says so by its finish reason; what claims to be whole is checked."""
    calls = Calls(promise=plan.promise, id_prefix="call")

    assert fault == fault_of(plan, text=text(plan, said), calls=calls, reason=reason)


def test_words_instead_of_json_are_a_refusal() -> None:
    """OpenAI's clients have a place for them."""
    assert refusal_of("it is not complete, valid JSON", text=text(SCHEMED, " I can't. ")) == "I can't."


@pytest.mark.parametrize(
    ("plan", "said", "fault"),
    [
        (CALLING, "text", MISSING_CALL),
        (SCHEMED, "text", WRONG_CALL),
        (SCHEMED, "{}", "it breaks the schema"),
        (SCHEMED, "{'x': 1}", "it is not complete"),
        (SCHEMED, "", "it is not complete"),
    ],
    ids=["no call", "wrong call", "wrong JSON", "almost JSON", "nothing"],
)
def test_wrong_answer_is_an_error(plan: Plan, said: str, fault: str) -> None:
    """No client could tell it from a right one."""
    with pytest.raises(InvalidOutput):
        refusal_of(fault, text=text(plan, said))


def test_model_is_told_what_to_mend() -> None:
    """A missing call and wrong JSON are mended differently."""
    assert "Call one now" in repair_request(MISSING_CALL)
    assert "that you were not given" in repair_request(WRONG_CALL)
    assert "at /required" in repair_request("it breaks the schema at /required")

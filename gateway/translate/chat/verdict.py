"""Whether an answer keeps what the caller was promised, how it may be mended, and what is told when it is not."""

from gateway.errors import InvalidOutput
from gateway.openai.chat import answers as openai
from gateway.translate.chat.calls import Calls
from gateway.translate.chat.plan import Plan
from gateway.translate.chat.text import AnswerText

MISSING_CALL = "it called none of the functions, which was asked for"
WRONG_CALL = "it called a function that was not to be called"


def fault_of(plan: Plan, *, text: AnswerText, calls: Calls, reason: openai.FinishReason) -> str | None:
    """Return how an answer breaks what was promised; None when it keeps it, or was cut short and cannot."""
    if reason != "stop":
        return None
    if calls.strayed:
        return WRONG_CALL
    if plan.promise.must_call:
        return MISSING_CALL
    if plan.schema is not None and text.json is not None:
        return plan.schema.fault(text.json.text)
    return None


def repair_request(fault: str) -> str:
    """Return what to tell the model so that it mends its answer."""
    if fault == MISSING_CALL:
        return "Your answer cannot be used: it calls no function. Call one now, and do not answer in text."
    if fault == WRONG_CALL:
        return "Your answer cannot be used: it calls a function that you were not given. Keep to those you have."
    return f"Your answer cannot be used: {fault}. Answer again with the whole, corrected JSON and nothing else."


def refusal_of(fault: str, *, text: AnswerText) -> str:
    """
    Return the words of a model that said something else instead of JSON: that is a refusal.

    Raises InvalidOutput for an answer that is merely wrong, since no client could tell it from a right one.
    """
    if fault == MISSING_CALL:
        raise InvalidOutput("The model called none of the functions, though 'tool_choice' asks for a call.")
    if fault == WRONG_CALL:
        raise InvalidOutput("The model called a function that 'tool_choice' leaves out, and no other. Ask again.")
    if text.json is None or text.json.text or not text.json.before or text.json.opening in text.json.before:
        raise InvalidOutput(
            f"The model's answer does not keep to the JSON schema: {fault}. "
            "Ask again, simplify the schema, or use a larger model."
        )
    return text.json.before

"""One call's whole answer: GLM's completion, understood, to one of OpenAI's choices."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET

from gateway.glm import chat as glm
from gateway.openai.chat import answers as openai
from gateway.translate.chat import answer
from gateway.translate.chat.calls import Call, Calls, reasoning_by_call, to_openai
from gateway.translate.chat.plan import Plan, Promise
from gateway.translate.chat.text import AnswerText
from gateway.translate.chat.verdict import fault_of, refusal_of
from gateway.translate.errors import unreadable


class Whole:
    """
    One whole answer; ``index`` is that of its choice.

    ``said`` is the text as the model gave it. ``fault`` is how the answer breaks what was promised, None when it
    keeps it. Raises UpstreamProtocolError when there is no message, and the error that the answer tells of.
    """

    def __init__(self, told: glm.ChatAnswer, *, plan: Plan, index: int) -> None:
        if not told.choices or (message := told.choices[0].message or told.choices[0].delta) is None:
            raise unreadable()
        self._plan = plan
        self._index = index
        self._audio = message.audio
        self._results: Sequence[glm.SearchResult] = told.web_search or ()
        self.calls = calls_of(message.tool_calls or (), plan=plan, index=index)
        self.said = answer.text_of(message.content)
        self.reasoning = message.reasoning_content or ""
        self._content = self.said
        self._text = AnswerText(plan)
        if not self._text.plain:
            content, thought = self._text.feed(self.said)
            last_content, last_thought = self._text.finish(called=bool(self.calls.whole()))
            self._content = content + last_content
            self.reasoning += thought + last_thought
        self._reason = answer.finish_reason(
            told.choices[0].finish_reason, called=bool(self.calls.whole()), legacy=plan.promise.legacy
        )
        self.fault = fault_of(plan, text=self._text, calls=self.calls, reason=self._reason)

    @property
    def leave(self) -> Mapping[str, str]:
        """What later requests may ask for: the reasoning behind each tool call."""
        return reasoning_by_call(self.calls, self.reasoning)

    def choice(self) -> openai.ChatCompletionChoice:
        """Return the answer as OpenAI's; raise InvalidOutput when its fault cannot be told as a refusal."""
        refusal = None if self.fault is None else refusal_of(self.fault, text=self._text)
        message = openai.ChatCompletionResponseMessage(
            content=None if refusal is not None else self._content,
            refusal=refusal,
            annotations=answer.citations(self._results, text=self._content) if self._results else UNSET,
            reasoning_content=self.reasoning or UNSET,
        )
        if calls := self.calls.whole():
            if breaks_schema(self._text, plan=self._plan):
                message = msgspec.structs.replace(message, content=None)  # What was said on the way to the calls.
            message = calling(message, calls, promise=self._plan.promise)
        return openai.ChatCompletionChoice(index=self._index, message=message, finish_reason=self._reason)


def calling(
    message: openai.ChatCompletionResponseMessage, calls: Sequence[Call], *, promise: Promise
) -> openai.ChatCompletionResponseMessage:
    """Return a message with its calls, which has no content unless it says something beside them."""
    content = message.content or None
    called = [to_openai(call, promise=promise) for call in calls]
    if not promise.legacy:
        return msgspec.structs.replace(message, content=content, tool_calls=called)
    function = next((call.function for call in called if isinstance(call, openai.AnswerCall)), UNSET)
    return msgspec.structs.replace(message, content=content, function_call=function)


def breaks_schema(text: AnswerText, *, plan: Plan) -> bool:
    """Tell whether a text is not what was promised of one; clients would parse it all the same."""
    return plan.schema is not None and text.json is not None and plan.schema.fault(text.json.text) is not None


def calls_of(pieces: Sequence[glm.AnswerToolCall], *, plan: Plan, index: int) -> Calls:
    """Return the calls of a whole answer, in which every piece is a call of its own, whatever its index says."""
    calls = Calls(promise=plan.promise, id_prefix=plan.call_id_prefix(index) if pieces else "")
    for position, piece in enumerate(pieces):
        calls.feed(msgspec.structs.replace(piece, index=position))
    return calls

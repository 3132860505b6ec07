"""Items to the messages of a chat: what belongs to one turn of the model's becomes one message."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.errors import InvalidRequest
from gateway.openai.chat import content as chat_content
from gateway.openai.chat import messages as chat
from gateway.openai.responses import content, items
from gateway.translate.responses.tools import flat_name

Unseal = Callable[[str], str | None]

BESIDE_TEXT = "This is what the tools returned beside text:"


@dataclass(slots=True)
class Turn:
    """What the model did in one turn, as far as it is known; ``place`` is that of its first item."""

    place: str
    said: chat_content.Content = None
    reasoning: str | None = None
    calls: list[chat.FunctionToolCall | chat.CustomToolCall] = field(default_factory=list)

    def message(self) -> chat.AssistantMessage | None:
        """Return the turn as a message; None when it holds nothing but thoughts that led nowhere."""
        if self.said is None and not self.calls:
            return None
        return chat.AssistantMessage(
            content=self.said, tool_calls=self.calls or None, reasoning_content=self.reasoning
        )


class Conversation:
    """
    Puts messages together, item by item.

    ``places`` has for each message the place of the item it comes from, such as ``input[3]``.
    """

    def __init__(self, *, unseal: Unseal) -> None:
        self.messages: list[chat.Message] = []
        self.places: list[str] = []
        self._unseal = unseal
        self._turn: Turn | None = None
        self._beside: list[chat_content.Part] = []

    def instruct(self, text: str, *, place: str) -> None:
        """Put an instruction."""
        self._put(chat.SystemMessage(content=text), place)

    def add(self, pairs: Iterable[tuple[str, items.Item]]) -> None:
        """Put items with their places; raise InvalidRequest for what GLM cannot be shown."""
        for place, item in pairs:
            self._take(item, place)

    def finish(self) -> None:
        """Put what waited for more of its kind."""
        self._end_turn()
        self._end_results()

    def _take(self, item: items.Item, place: str) -> None:
        match item:
            case items.InputMessage(role="assistant", content=said):
                self._in_turn(place, fresh=lambda turn: turn.said is not None).said = parts(said, param=place)
            case items.InputMessage(role=role, content=said):
                self.finish()
                self._put(MESSAGES[role](content=parts(said, param=place)), place)
            case items.PastReasoning():
                turn = self._in_turn(place, fresh=lambda turn: turn.said is not None or bool(turn.calls))
                turn.reasoning = (turn.reasoning or "") + (reasoning_of(item, unseal=self._unseal) or "") or None
            case items.PastFunctionCall(call_id=call_id, namespace=namespace):
                function = chat.FunctionCall(name=flat_name(item.name, namespace), arguments=item.arguments)
                self._in_turn(place).calls.append(chat.FunctionToolCall(id=call_id, function=function))
            case items.PastCustomCall(call_id=call_id, namespace=namespace):
                custom = chat.CustomCall(name=flat_name(item.name, namespace), input=item.input)
                self._in_turn(place).calls.append(chat.CustomToolCall(id=call_id, custom=custom))
            case items.CallResult(call_id=call_id, output=output):
                self._end_turn()
                text, beside = result_of(output, param=f"{place}.output")
                self._put(chat.ToolMessage(content=text, tool_call_id=call_id), place)
                self._beside.extend(beside)
            case _:
                pass  # A search of earlier: what it found is in the text after it.

    def _in_turn(self, place: str, *, fresh: Callable[[Turn], bool] = lambda _: False) -> Turn:
        """Return the turn that an item of the model's belongs to: the one at hand, unless that has to end."""
        self._end_results()
        if self._turn is not None and fresh(self._turn):
            self._end_turn()
        if self._turn is None:
            self._turn = Turn(place)
        return self._turn

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None and (message := turn.message()) is not None:
            self._put(message, turn.place)

    def _end_results(self) -> None:
        """Show pictures and documents that tools returned, which GLM takes from users only."""
        beside, self._beside = self._beside, []
        if beside:
            said = chat.UserMessage(content=[chat_content.TextPart(text=BESIDE_TEXT), *beside])
            self._put(said, self.places[-1])

    def _put(self, message: chat.Message, place: str) -> None:
        self.messages.append(message)
        self.places.append(place)


MESSAGES: dict[str, Callable[..., chat.Message]] = {
    "user": chat.UserMessage,
    "system": chat.SystemMessage,
    "developer": chat.DeveloperMessage,
}


def parts(said: str | list[content.InputPart], *, param: str) -> str | list[chat_content.Part]:
    if isinstance(said, str):
        return said
    return [part(one, param=f"{param}.content[{index}]") for index, one in enumerate(said)]


def part(one: content.InputPart, *, param: str) -> chat_content.Part:
    match one:
        case content.InputText(text=text) | content.SaidText(text=text):
            return chat_content.TextPart(text=text)
        case content.OutputRefusal(refusal=refusal):
            return chat_content.RefusalPart(refusal=refusal)
        case content.InputImage(image_url=url, detail=detail):
            if url is None:
                raise InvalidRequest(
                    "GLM cannot see uploaded files. Give 'image_url': http, https or a data URI.",
                    param=f"{param}.file_id" if one.file_id is not None else f"{param}.image_url",
                    code="unsupported_content",
                )
            return chat_content.ImagePart(image_url=chat_content.ImageUrl(url=url, detail=detail))
        case content.InputFile(filename=name):
            return chat_content.FilePart(
                file=chat_content.FileContent(
                    file_data=one.file_data, file_id=one.file_id, file_url=one.file_url, filename=name
                )
            )
        case content.SpokenInput(input_audio=audio):
            return chat_content.InputAudioPart(input_audio=audio)


def result_of(output: str | list[content.ResultPart], *, param: str) -> tuple[str, list[chat_content.Part]]:
    """Return the text of a tool's result, and what is no text."""
    if isinstance(output, str):
        return output, []
    texts = [one.text for one in output if isinstance(one, content.InputText)]
    beside = [
        part(one, param=f"{param}[{index}]")
        for index, one in enumerate(output)
        if not isinstance(one, content.InputText)
    ]
    return "\n".join(texts), beside


def reasoning_of(item: items.PastReasoning, *, unseal: Unseal) -> str | None:
    """Return what was thought: in clear if it is there, else unsealed, else its summary; None when unknown."""
    if item.content:
        return "".join(one.text for one in item.content)
    if item.encrypted_content and (unsealed := unseal(item.encrypted_content)) is not None:
        return unsealed
    return "\n".join(one.text for one in item.summary) or None


def calls_without_reasoning(listed: Iterable[items.Item]) -> list[str]:
    """Return the ids of calls that come with no reasoning in their turn, which may be remembered."""
    found: list[str] = []
    thought = False
    for item in listed:
        match item:
            case items.PastReasoning():
                thought = True
            case items.PastFunctionCall(call_id=call_id) | items.PastCustomCall(call_id=call_id):
                found.extend([] if thought else [call_id])
            case items.InputMessage(role="assistant") | items.PastSearch() | items.Reference():
                pass
            case _:
                thought = False
    return found

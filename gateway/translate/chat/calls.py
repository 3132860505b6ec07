"""Tool calls, whole or in fragments: what GLM sends, to what OpenAI's clients can add up."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.glm import chat as glm
from gateway.openai import chat as openai
from gateway.translate.chat.tools import Promise, unwrap_custom_input


@dataclass(slots=True)
class Call:
    """One call as far as it is known; ``index`` counts from 0 without gaps."""

    index: int
    id: str
    name: str = ""
    announced: bool = False
    fragments: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        """The arguments as JSON text; a call without any has an empty object."""
        return "".join(self.fragments) or "{}"


class Calls:
    """
    The calls of one answer, put together piece by piece.

    Ids, types and names go out once, in the first piece of a call; indexes have no gaps; one call a delta.
    Clients concatenate whatever is repeated, and the official ones fail on a missing index.
    """

    def __init__(self, *, promise: Promise, id_prefix: str) -> None:
        self._promise = promise
        self._id_prefix = id_prefix
        self._by_index: dict[int, Call] = {}
        self._calls: list[Call] = []

    @property
    def whole(self) -> list[Call]:
        """The calls that have a name; of several only the first, if that was asked."""
        named = [call for call in self._calls if call.name]
        return named[:1] if self._promise.single else named

    def feed(self, piece: glm.AnswerToolCall) -> list[openai.Delta]:
        """Take one piece; return what the caller may be told of it already."""
        if piece.type not in (None, "", "function"):
            return []  # Zhipu runs its built-in tools itself; the caller has nothing to do.
        call = self._find(piece)
        function = piece.function
        if function is not None:
            call.name = call.name or function.name or ""
            call.fragments.append(json_text(function.arguments))
        return self._tell(call, call.fragments[-1] if function is not None else "")

    def conclude(self) -> list[openai.Delta]:
        """Return what was held back until the calls were whole."""
        return [delta for call in self.whole for delta in self._rest(call)]

    def _find(self, piece: glm.AnswerToolCall) -> Call:
        index = piece.index
        if index is None:
            index = len(self._calls) if piece.id or not self._calls else len(self._calls) - 1
        call = self._by_index.get(index)
        starts_another = call is not None and piece.id not in (None, "", call.id) and names(piece)
        if call is None or starts_another:
            position = len(self._calls)
            call = Call(index=position, id=piece.id or f"{self._id_prefix}_{position}")
            self._by_index[index] = call
            self._calls.append(call)
        return call

    def _tell(self, call: Call, fragment: str) -> list[openai.Delta]:
        if not call.name or (self._promise.single and call.index > 0):
            return []
        if call.name in self._promise.custom:
            return []  # The input is inside JSON, so it can only be told when that is whole.
        if call.announced:
            return [self._delta(call, arguments=fragment)] if fragment else []
        call.announced = True
        return [self._delta(call, name=call.name, arguments="".join(call.fragments))]

    def _rest(self, call: Call) -> list[openai.Delta]:
        if call.name in self._promise.custom:
            custom = openai.CustomFragment(name=call.name, input=unwrap_custom_input(call.arguments))
            chunk = openai.ToolCallChunk(index=call.index, id=call.id, type="custom", custom=custom)
            return [openai.Delta(tool_calls=[chunk])]
        return [] if "".join(call.fragments) else [self._delta(call, arguments="{}")]

    def _delta(self, call: Call, *, arguments: str, name: str | None = None) -> openai.Delta:
        if name is None:
            function = openai.FunctionFragment(arguments=arguments)
            chunk = openai.ToolCallChunk(index=call.index, function=function)
        else:
            function = openai.FunctionFragment(name=name, arguments=arguments)
            chunk = openai.ToolCallChunk(index=call.index, id=call.id, type="function", function=function)
        return openai.Delta(function_call=function) if self._promise.legacy else openai.Delta(tool_calls=[chunk])


def names(piece: glm.AnswerToolCall) -> bool:
    return piece.function is not None and bool(piece.function.name)


def json_text(arguments: Any) -> str:
    """Return arguments as JSON text; one page of the vendor shows them as an object."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()


def to_openai(call: Call, *, promise: Promise) -> openai.AnswerCall | openai.AnswerCustomCall:
    """Return a whole call for a message."""
    if call.name in promise.custom:
        custom = openai.CustomCall(name=call.name, input=unwrap_custom_input(call.arguments))
        return openai.AnswerCustomCall(id=call.id, custom=custom)
    return openai.AnswerCall(id=call.id, function=openai.FunctionCall(name=call.name, arguments=call.arguments))

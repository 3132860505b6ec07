"""Tool calls, whole or in fragments: what GLM sends, to what OpenAI's clients can add up."""

from typing import Any

import msgspec
from msgspec import Struct, field

from gateway.glm import chat as glm
from gateway.openai.chat import chunks as openai
from gateway.openai.chat.answers import AnswerCall, AnswerCustomCall
from gateway.openai.chat.messages import CustomCall, FunctionCall
from gateway.translate.chat.plan import Promise
from gateway.translate.chat.tools import unwrap_custom_input

decode_raw = msgspec.json.Decoder(msgspec.Raw).decode

FUNCTION = ("function", "", None)
"""The types of what the caller is to run; Zhipu runs its built-in tools itself."""


class Call(Struct):
    """
    One call as far as it is known.

    ``index`` counts the calls that the caller is told of, from 0 without gaps; -1 while this one is none. ``told``
    turns true when it goes out piece by piece. ``given`` is GLM's id, which may be that of another call, too.
    """

    id: str
    given: str | None = None
    name: str = ""
    index: int = -1
    told: bool = False
    fragments: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        """The arguments as JSON text; a call without any has an empty object."""
        return "".join(self.fragments) or "{}"

    def is_whole(self) -> bool:
        """Tell whether the arguments are a JSON object already, which nothing can follow."""
        last = next((fragment for fragment in reversed(self.fragments) if fragment.strip()), "")
        if not last.rstrip().endswith("}"):  # Which is told sooner than by reading all of it.
            return False
        try:
            decode_raw(self.arguments)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return False
        return True


class Calls(Struct, eq=False, kw_only=True):
    """
    The calls of one answer, put together piece by piece.

    Ids, types and names go out once, in the first piece of a call; indexes have no gaps; one call a delta; a call
    is told to its end before the next begins. Clients concatenate whatever is repeated, and the official ones fail
    on a missing index, or parse what there is of a call when another comes. Of a function that the caller did not
    choose nothing is told; ``strayed`` says that one was called. ``id_prefix`` begins the ids of those to which
    GLM gave none.
    """

    __repr__ = object.__repr__  # What it holds is not for logs.

    promise: Promise
    id_prefix: str
    strayed: bool = False
    _by_index: dict[int | None, Call] = field(default_factory=dict)
    _by_id: dict[str, Call] = field(default_factory=dict)
    _last: Call | None = None
    _named: list[Call] = field(default_factory=list)
    _waiting: list[Call] = field(default_factory=list)  # for the first of them to be told to its end

    def whole(self) -> list[Call]:
        """Return the calls that have a name; of several only the first, if that was asked."""
        return self._named[:1] if self.promise.single else self._named

    def grow(self, piece: glm.AnswerToolCall, fragment: str) -> Call | None:
        """
        Take a ``fragment`` of the arguments of the call that ``piece`` names, if the caller knows of it already.

        Return the call; None for any other piece, which ``feed`` takes.
        """
        call = self._by_index.get(piece.index)
        if call is None or not call.told or piece.type not in FUNCTION or (piece.id and piece.id != call.given):
            return None
        if len(self._waiting) != 1 or self._waiting[0] is not call:
            return None  # Others wait for its end, or it had come already.
        call.fragments.append(fragment)
        self._last = call
        return call

    def feed(self, piece: glm.AnswerToolCall) -> list[openai.Delta]:
        """Take one piece; return what the caller may be told by now."""
        if piece.type not in FUNCTION:
            return []
        call = self._find(piece)
        fragment = ""
        if (function := piece.function) is not None:
            fragment = function.arguments if isinstance(function.arguments, str) else json_text(function.arguments)
            if fragment:
                call.fragments.append(fragment)
            if function.name and not call.name:
                call.name = function.name
                self._admit(call)
                return self._advance()
        told = self._grow(call, fragment)
        return told + self._advance() if len(self._waiting) > 1 else told

    def conclude(self) -> list[openai.Delta]:
        """Return what was held back until the calls were whole."""
        waiting, self._waiting = self._waiting, []
        return [delta for call in waiting for delta in self._rest(call)]

    def _find(self, piece: glm.AnswerToolCall) -> Call:
        """Return the call that a piece belongs to: by its index, by its id, or else the last one."""
        if piece.index is not None:
            call = self._by_index.get(piece.index)
        else:
            call = self._by_id.get(piece.id) if piece.id else self._last
        named = piece.function is not None and piece.function.name
        if call is None or (named and call.name and self._starts_another(call, piece)):
            call = Call(id=self._new_id(piece.id), given=piece.id)
            self._by_id[call.id] = self._by_id[piece.id or call.id] = call
        if piece.index is not None:
            self._by_index[piece.index] = call
        self._last = call
        return call

    def _starts_another(self, call: Call, piece: glm.AnswerToolCall) -> bool:
        """Tell a further call from a piece that repeats the head of one it belongs to."""
        return piece.id != call.given if piece.id else piece.index is None

    def _new_id(self, given: str | None) -> str:
        if given and given not in self._by_id:
            return given
        return f"{self.id_prefix}_{len(self._by_id)}"

    def _admit(self, call: Call) -> None:
        """Count a call whose name has become known, unless the caller chose other functions."""
        if self.promise.only is not None and call.name not in self.promise.only:
            self.strayed = True
            return
        call.index = len(self._named)
        self._named.append(call)
        if not (self.promise.single and call.index > 0):
            self._waiting.append(call)

    def _advance(self) -> list[openai.Delta]:
        """Return what the first of those that wait has to be told of, and the next once it is whole."""
        told: list[openai.Delta] = []
        while self._waiting:
            first, is_last = self._waiting[0], len(self._waiting) == 1
            if first.name not in self.promise.custom and not first.told:
                told.append(self._announce(first))
            if is_last or not first.is_whole():
                break
            told += self._rest(self._waiting.pop(0))
        return told

    def _announce(self, call: Call) -> openai.Delta:
        call.told = True
        function = openai.FunctionFragment(name=call.name, arguments="".join(call.fragments))
        return self._delta(openai.ToolCallChunk(index=call.index, id=call.id, type="function", function=function))

    def _grow(self, call: Call, fragment: str) -> list[openai.Delta]:
        """Return what tells of a fragment, unless it is but space behind arguments that were whole."""
        was_whole = not (self._waiting and self._waiting[0] is call)
        if not (call.told and fragment) or (was_whole and fragment.isspace()):
            return []
        return [self._continue(call, fragment)]

    def _continue(self, call: Call, fragment: str) -> openai.Delta:
        return more_arguments(call.index, fragment, legacy=self.promise.legacy)

    def _rest(self, call: Call) -> list[openai.Delta]:
        """Return what the caller has still to be told of a call that is whole."""
        if call.name in self.promise.custom:
            # A custom tool's input is inside JSON, and so is told when that is whole.
            custom = openai.CustomFragment(name=call.name, input=unwrap_custom_input(call.arguments))
            chunk = openai.ToolCallChunk(index=call.index, id=call.id, type="custom", custom=custom)
            return [openai.Delta(tool_calls=[chunk])]
        told = [] if call.told else [self._announce(call)]
        return told if call.fragments else [*told, self._continue(call, "{}")]

    def _delta(self, chunk: openai.ToolCallChunk) -> openai.Delta:
        return delta_of(chunk, legacy=self.promise.legacy)


def more_arguments(index: int, fragment: str, *, legacy: bool) -> openai.Delta:
    """Return what tells of more of the arguments of the call of this ``index``."""
    function = openai.FunctionFragment(arguments=fragment)
    return delta_of(openai.ToolCallChunk(index=index, function=function), legacy=legacy)


def delta_of(chunk: openai.ToolCallChunk, *, legacy: bool) -> openai.Delta:
    """Return what tells of a piece of a call, in the deprecated form where ``legacy``."""
    return openai.Delta(function_call=chunk.function) if legacy else openai.Delta(tool_calls=[chunk])


def reasoning_by_call(calls: Calls, reasoning: str) -> dict[str, str]:
    """Return what to remember for clients that do not send reasoning back with the results of calls."""
    return {call.id: reasoning for call in calls.whole()} if reasoning else {}


def json_text(arguments: Any) -> str:
    """Return arguments as JSON text; one page of the vendor shows them as an object."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()


def to_openai(call: Call, *, promise: Promise) -> AnswerCall | AnswerCustomCall:
    """Return a whole call for a message."""
    if call.name in promise.custom:
        custom = CustomCall(name=call.name, input=unwrap_custom_input(call.arguments))
        return AnswerCustomCall(id=call.id, custom=custom)
    return AnswerCall(id=call.id, function=FunctionCall(name=call.name, arguments=call.arguments))

"""
One answer as the events that tell it, in the order of the page's diagrams. No clock, no socket.

Source: docs.bigmodel.cn, GLM-Realtime: samples of every event, and its three diagrams. An item of an answer is
called a message even where it is a call, is ``[{}]`` when it begins and when it ends, and calls have no ids.
"""

import base64
from collections.abc import Iterator
from typing import Any, Literal

from gateway.simulator.chat.wire import Call

Event = tuple[str, dict[str, Any]]
Status = Literal["completed", "cancelled"]


class Answer:
    """Tells an answer step by step; ``end`` closes what is open, however it ends."""

    def __init__(self, *, response_id: str, item_id: str, spoken: bool, transcripts: str) -> None:
        self.id = response_id
        self.item_id = item_id
        self.text = ""
        self.heard_seconds = 0.0
        self._spoken = spoken
        self._transcripts = transcripts
        self._transcript = ""
        self._begun = self._calling = False
        self._writing = True

    def created(self) -> Event:
        """Tell that there is going to be an answer."""
        return "response.created", {"response": self._response("in_progress")}

    def begin(self, *, calling: bool) -> Iterator[Event]:
        """Tell that its only item begins; where functions are called, in the other order."""
        self._begun, self._calling = True, calling
        self._writing = not calling
        item = self._item("in_progress")
        added: Event = ("response.output_item.added", self._where(item=item))
        created: Event = ("conversation.item.created", {"item": item})
        yield from (created, added) if calling else (added, created)
        yield "response.content_part.added", self._inside(part=self._part())

    def write(self, piece: str) -> Event:
        """Tell more of its text."""
        self.text += piece
        return "response.text.delta", self._inside(delta=piece)

    def finish_writing(self) -> Iterator[Event]:
        """Tell its text whole, once."""
        if self._writing:
            self._writing = False
            yield "response.text.done", self._inside(text=self.text)

    def transcribe(self, piece: str) -> Iterator[Event]:
        """Tell more of what its voice says, where that is told."""
        if self._transcripts != "none":
            self._transcript += piece
            yield "response.audio_transcript.delta", self._inside(delta=piece)

    def sound(self, content: bytes, *, seconds: float) -> Event:
        """Tell more of its voice."""
        self.heard_seconds += seconds
        return "response.audio.delta", self._inside(delta=base64.b64encode(content).decode())

    def call(self, call: Call) -> Event:
        """Tell that a function is called."""
        fields = {"response_id": self.id, "output_index": 0, "name": call.name, "arguments": call.arguments}
        return "response.function_call_arguments.done", fields

    def end(self, status: Status, *, usage: dict[str, Any]) -> Iterator[Event]:
        """Tell its end; what was begun is ended first."""
        if status == "cancelled":
            yield "response.cancelled", {"response": self._response(status)}
        if self._begun:
            yield from self._close(status)
        yield "response.done", {"response": self._response(status) | {"usage": usage}}

    def _close(self, status: Status) -> Iterator[Event]:
        if not self._calling:
            yield from self.finish_writing()
            if self._spoken:
                if self._transcripts == "whole":
                    yield "response.audio_transcript.done", self._inside(transcript=self._transcript)
                yield "response.audio.done", self._inside()
        yield "response.content_part.done", self._inside(part=self._part())
        item = self._item("completed" if status == "completed" else "incomplete")
        yield "response.output_item.done", self._where(item=item)

    def _response(self, status: str) -> dict[str, Any]:
        return {"object": "realtime.response", "id": self.id, "status": status}

    def _item(self, status: str) -> dict[str, Any]:
        item = {"content": [{}], "id": self.item_id, "object": "realtime.item", "role": "assistant"}
        return item | {"status": status, "type": "message"}

    def _part(self) -> dict[str, str]:
        return {"type": "audio" if self._spoken else "text"}

    def _where(self, **fields: Any) -> dict[str, Any]:
        return {"response_id": self.id, "output_index": 0} | fields

    def _inside(self, **fields: Any) -> dict[str, Any]:
        return self._where(item_id=self.item_id, content_index=0) | fields

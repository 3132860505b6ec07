"""
One call: what comes in is taken in its order, and answered beside that.

Source: docs.bigmodel.cn, GLM-Realtime, its diagrams of server VAD, client VAD and function calls.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Any

import msgspec

from gateway.simulator.accounts import Account
from gateway.simulator.connection import Receive, Request
from gateway.simulator.faults import Fault
from gateway.simulator.platform import Platform
from gateway.simulator.realtime.hearing import Hearing
from gateway.simulator.realtime.items import read_item
from gateway.simulator.realtime.line import HungUp, Line
from gateway.simulator.realtime.memory import Item
from gateway.simulator.realtime.models import DEFAULT_MODEL
from gateway.simulator.realtime.session import Session, read_session, read_transcription
from gateway.simulator.realtime.trouble import UNACCEPTABLE, Trouble
from gateway.simulator.realtime.voice import Voice
from gateway.simulator.refusals import Refusal

Fields = Mapping[str, Any]


class Call:
    """
    A call of one account. ``handshake`` is the request that began it.

    It counts for its model from the first event on, since it is an update that names the model.
    """

    def __init__(
        self,
        platform: Platform,
        account: Account,
        line: Line,
        voice: Voice,
        *,
        handshake: Request,
        model: str | None,
    ) -> None:
        self._platform = platform
        self._account = account
        self._line = line
        self._voice = voice
        self._handshake = handshake
        self._id = platform.new_request_id()
        self._session = Session(model=model or DEFAULT_MODEL)
        self._memory = voice.memory
        self._hearing = Hearing(platform, line, voice)
        self._model: str | None = None
        self._slot = ExitStack()
        self._greeted = False
        self._takers: Mapping[str, Callable[[Fields], Awaitable[None]]] = {
            "session.update": self._update,
            "transcription_session.update": self._update_transcription,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.append_video_frame": self._append_frame,
            "input_audio_buffer.pre_commit": self._ignore,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.retrieve": self._retrieve_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
        }

    async def run(self, receive: Receive) -> None:
        """Hold the call until one side leaves."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._voice.start(tasks)
                tasks.create_task(self._beat())
                await self._line.tell("heartbeat")
                await self._line.tell("session.created", session=self._first_session())
                while True:
                    await self._take(await receive())
        except* (HungUp, OSError):
            pass  # the client has left, or a close was said
        finally:
            self._slot.close()

    async def _take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.disconnect":
            raise HungUp
        try:
            await self._obey(message.get("text"))
        except Trouble as trouble:
            await self._line.complain(trouble)

    async def _obey(self, text: str | None) -> None:
        if text is None:
            raise Trouble("text messages only", close_code=UNACCEPTABLE)
        event = _read(text)
        kind = event["type"]
        take = self._takers.get(kind)
        if take is None:
            raise Trouble(f"The event type {kind} does not exist.")
        instead = await self._line.suffer(self._faults(kind, text))
        if instead is not None:
            raise instead
        if kind != "session.update":
            self._count(self._session.model)
        await take(event)

    def _faults(self, kind: str, text: str) -> list[Fault]:
        """Return the faults that hit an event, which counts as a request of its own; sound is not kept."""
        about = self._handshake
        sent = Request(method="SEND", path=about.path, query="", headers=about.headers, body=text.encode())
        if kind != "input_audio_buffer.append":
            self._platform.book.see(sent)
        return self._platform.script.take(sent, account=self._account.name, model=self._session.model)

    # --- The session --------------------------------------------------------------------------------

    async def _update(self, event: Fields) -> None:
        session, echo = read_session(_object(event, "session"))
        self._count(session.model)
        if self._session.mode == "video_passive" and session.mode == "audio":
            self._memory.forget()
        if not self._memory.has_learned:
            self._memory.learn(session.instructions)
        self._use(session)
        about = {"object": "realtime.session", "id": self._id}
        await self._line.tell("heartbeat")
        await self._line.tell("session.updated", session=about | echo)
        if session.greeting is not None and not self._greeted:
            self._greeted = True
            self._voice.greet(session.greeting)

    async def _update_transcription(self, event: Fields) -> None:
        session, echo = read_transcription(_object(event, "session"))
        self._use(session)
        about = {"id": "sess" + self._platform.ids(32), "object": "realtime.transcription_session"}
        await self._line.tell("transcription_session.updated", session=about | echo)

    def _use(self, session: Session) -> None:
        self._session = self._voice.session = session
        self._hearing.use(session)

    def _count(self, model: str) -> None:
        """Count for a model from now on; raise Trouble where the account may not."""
        if model == self._model:
            return
        slot = ExitStack()
        try:
            self._account.check_paid()
            slot.enter_context(self._platform.book.slot(self._account, model=model))
        except Refusal as refusal:
            raise self._line.word(refusal, close_code=UNACCEPTABLE) from refusal
        self._slot.close()
        self._slot, self._model = slot, model

    def _first_session(self) -> dict[str, Any]:
        return {
            "object": "realtime.session",
            "id": self._id,
            "model": DEFAULT_MODEL,
            "modalities": ["text", "audio"],
            "voice": "default",
            "input_audio_format": "wav",
            "output_audio_format": "pcm",
            "temperature": 0.05,
            "beta_fields": {"chat_mode": "audio"},
        }

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._platform.habits.heartbeat_seconds)
            await self._line.tell("heartbeat")

    # --- What is heard, written, and to be said -----------------------------------------------------

    async def _append(self, event: Fields) -> None:
        await self._hearing.append(_text(event, "audio"))

    async def _append_frame(self, event: Fields) -> None:
        self._hearing.append_frame(_text(event, "video_frame"))

    async def _commit(self, _event: Fields) -> None:
        await self._hearing.commit()

    async def _clear(self, _event: Fields) -> None:
        await self._hearing.clear()

    async def _create_item(self, event: Fields) -> None:
        item = read_item(_object(event, "item"), taken=self._memory.items)
        item.id = item.id or "item" + self._platform.ids(32)
        item.at = self._platform.clock()
        item.ignored = item.kind == "message" and self._platform.habits.typed == "ignored"
        self._memory.add(item)
        self._memory.learn(self._session.instructions)
        await self._line.tell("conversation.item.created", item=item.shown())

    async def _delete_item(self, event: Fields) -> None:
        item = self._find(event)
        del self._memory.items[item.id]
        await self._line.tell("conversation.item.deleted", item_id=item.id)

    async def _retrieve_item(self, event: Fields) -> None:
        await self._line.tell("conversation.item.retrieved", item=self._find(event).shown())

    async def _create_response(self, _event: Fields) -> None:
        if self._session.transcribes:
            raise Trouble("a transcription session does not answer")
        if self._session.mode == "video_passive" and not self._hearing.has_seen:
            raise Trouble("no video frame was appended", code="video_model_query_error", kind="server_error")
        if self._voice.answering:
            raise Trouble("a response is in progress")
        self._hearing.show_frames()
        self._voice.answer()

    async def _cancel_response(self, _event: Fields) -> None:
        if not await self._voice.stop():
            raise Trouble("there is no response to stop", code="stop_task_error")

    async def _ignore(self, _event: Fields) -> None:
        """Do nothing: the vendor's own page sends it before every commit, and no document has it."""

    def _find(self, event: Fields) -> Item:
        item = self._memory.items.get(_text(event, "item_id"))
        if item is None:
            raise Trouble(f"item_id: {event['item_id']} does not exist")
        return item


def _read(text: str) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Trouble("The event is not a JSON object.") from error
    kind = event.get("type")
    if not kind:
        raise Trouble("The 'type' field is missing.")
    if not isinstance(kind, str):
        raise Trouble("The 'type' field has to be a text.")
    return event


def _object(event: Fields, name: str) -> Fields:
    value = event.get(name)
    if not isinstance(value, dict):
        raise Trouble(f"The '{name}' field has to be an object.")
    return value


def _text(event: Fields, name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise Trouble(f"The '{name}' field is missing.")
    return value

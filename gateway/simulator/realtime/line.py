"""The client's end of a call: events out, and the faults that a script puts in their way."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from gateway.simulator import faults as kinds
from gateway.simulator.connection import Send, drop
from gateway.simulator.faults import Fault
from gateway.simulator.platform import Platform
from gateway.simulator.realtime.trouble import BROKEN, Trouble, refused
from gateway.simulator.refusals import Language, Refusal

_UNDATED = {"error", "conversation.item.input_audio_transcription.failed"}


class HungUp(Exception):
    """Raised within a call when there is nobody left to talk to."""


class Line:
    """Tells events. One that a fault cuts or silences is so after the events that the fault lets through."""

    def __init__(self, send: Send, platform: Platform, language: Language) -> None:
        self._send = send
        self._platform = platform
        self._language = language
        self._pause_seconds = 0.0
        self._due: list[tuple[int, Callable[[], Awaitable[None]]]] = []
        self._told = 0
        self._silent = False

    async def tell(self, kind: str, /, **fields: Any) -> None:
        """Send an event, with the id and the date that most have."""
        now = self._platform.clock()
        event_id = {
            "eventId" if kind == "input_audio_buffer.cleared" else "event_id": "event" + self._platform.ids(32)
        }
        date = {} if kind in _UNDATED else {"client_timestamp": int(now * 1000)}
        if self._pause_seconds:
            await asyncio.sleep(self._pause_seconds)
        await self._say(msgspec.json.encode(event_id | {"type": kind} | date | fields).decode())

    def word(self, refusal: Refusal, *, close_code: int | None) -> Trouble:
        """Word a refusal of the platform as a call does."""
        return refused(refusal, self._language, now=self._platform.clock(), close_code=close_code)

    async def complain(self, trouble: Trouble) -> None:
        """Send an error, and hang up if it is one of those."""
        kind = {"type": trouble.kind} if self._platform.wire == "2025" else {}
        await self.tell("error", error=kind | {"code": trouble.code, "message": trouble.message})
        if trouble.close_code is not None:
            await self.hang_up(trouble.close_code)

    async def hang_up(self, code: int) -> None:
        """Close the connection; raise HungUp."""
        await self._send({"type": "websocket.close", "code": code, "reason": ""})
        raise HungUp

    async def suffer(self, faults: Iterable[Fault]) -> Trouble | None:
        """Let faults happen, now or later; gives what to say in place of what was asked. May raise HungUp."""
        instead = None
        for fault in faults:
            match fault:
                case kinds.Latency():
                    await asyncio.sleep(fault.seconds)
                case kinds.Slow():
                    self._pause_seconds = fault.seconds
                case kinds.Error() | kinds.ErrorInSuccess():
                    instead = self.word(Refusal(fault.code), close_code=None)
                case kinds.ErrorEvent():
                    instead = self.word(Refusal(fault.code), close_code=BROKEN)
                case kinds.Close():
                    await self._cut()
                case kinds.CutConnection():
                    await self._after(fault.after_chunks, self._cut)
                case kinds.Stall():
                    await self._after(fault.after_chunks, self._fall_silent)
                case kinds.Garbage():
                    await self._after(fault.after_chunks, self._babble)
                case _:
                    pass  # there is no body, no chunk and no page here that it could change
        return instead

    async def _say(self, text: str) -> None:
        if self._silent:
            return
        await self._send({"type": "websocket.send", "text": text})
        self._told += 1
        due, self._due = self._due, []
        for at, happen in due:
            if at <= self._told:
                await happen()
            else:
                self._due.append((at, happen))

    async def _after(self, events: int, happen: Callable[[], Awaitable[None]]) -> None:
        if events:
            self._due.append((self._told + events, happen))
        else:
            await happen()

    async def _cut(self) -> None:
        drop(self._send)
        raise HungUp

    async def _fall_silent(self) -> None:
        self._silent = True

    async def _babble(self) -> None:
        await self._send({"type": "websocket.send", "text": '{"type": "response.'})

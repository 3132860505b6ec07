"""
The user's side of a call: sound comes in, turns come out, by the platform's ear or at the client's word.

Source: docs.bigmodel.cn, GLM-Realtime. The item of a turn is not the one that its speech was announced with.
"""

from typing import Any

from gateway.simulator.platform import Platform
from gateway.simulator.realtime.detection import Boundary, Detector
from gateway.simulator.realtime.line import Line
from gateway.simulator.realtime.memory import Item
from gateway.simulator.realtime.microphone import LONGEST_SECONDS, Microphone
from gateway.simulator.realtime.session import Session
from gateway.simulator.realtime.trouble import Trouble
from gateway.simulator.realtime.voice import Voice
from gateway.simulator.speech import seconds_of


class Hearing:
    """Takes what is appended, makes items of it that ``voice`` answers to. ``has_seen``: a picture ever came."""

    def __init__(self, platform: Platform, line: Line, voice: Voice) -> None:
        self.has_seen = False
        self._platform = platform
        self._line = line
        self._voice = voice
        self._session = Session()
        self._microphone = Microphone()
        self._detector: Detector | None = None
        self._speech_id = ""
        self._conversed = False

    def use(self, session: Session) -> None:
        """Go by this session from now on."""
        if session.turns != self._session.turns:
            self._detector = Detector(session.turns) if session.turns is not None else None
        self._session = session

    async def append(self, audio: str) -> None:
        """Take sound; raise Trouble."""
        session, microphone, detector = self._session, self._microphone, self._detector
        now = self._platform.clock()
        sound = microphone.append(audio, form=session.input_format, rate_hz=session.input_hz, now=now)
        if detector is None:
            return
        for boundary in detector.feed(sound, rate_hz=microphone.rate_hz):
            await self._notice(boundary)
        if not detector.speaking:
            microphone.keep_latest(detector.turns.prefix_padding_ms / 1000)

    def append_frame(self, picture: str) -> None:
        """Take a picture; raise Trouble."""
        if self._session.mode != "video_passive":
            raise Trouble("video frames need beta_fields.chat_mode video_passive")
        self._microphone.append_frame(picture)
        self.has_seen = True

    def show_frames(self) -> None:
        """Let the model see the pictures of this moment, with what was said last if that is not answered yet."""
        frames, self._microphone.frames = self._microphone.frames, []
        if not frames:
            return
        said = self._voice.memory.latest
        if said is None or said.read or said.role != "user":
            said = self._item()
            self._voice.memory.add(said)
        said.pictures += frames

    async def commit(self) -> None:
        """End the turn at the client's word; raise Trouble."""
        microphone = self._microphone
        if not microphone.pcm and not microphone.frames:
            raise Trouble("there is no audio and no video to commit")
        if microphone.seconds > LONGEST_SECONDS:
            microphone.clear()
            raise Trouble(f"at most {LONGEST_SECONDS:g} seconds of audio")
        self._forget_speech()
        await self._end_turn()

    async def clear(self) -> None:
        """Forget what came since the last turn."""
        self._microphone.clear()
        self._forget_speech()
        await self._line.tell("input_audio_buffer.cleared")

    async def _notice(self, boundary: Boundary) -> None:
        session = self._session
        if session.turns is None:
            return
        if boundary.kind == "started":
            self._speech_id = "item" + self._platform.ids(32)
            about = {"audio_start_ms": boundary.at_ms, "item_id": self._speech_id}
            await self._line.tell("input_audio_buffer.speech_started", **about)
            if session.turns.interrupt_response:
                await self._voice.stop()
        elif not (self._platform.habits.tools_hang and session.functions):
            about = {"audio_end_ms": boundary.at_ms, "item_id": self._speech_id}
            await self._line.tell("input_audio_buffer.speech_stopped", **about)
            await self._end_turn()
            if session.turns.create_response and not session.transcribes:
                self._voice.answer_after()

    def _forget_speech(self) -> None:
        if self._detector is not None:
            self._detector.forget()

    async def _end_turn(self) -> None:
        """Make an item of what was said, and listen to it."""
        rate_hz = self._microphone.rate_hz
        pcm, frames = self._microphone.take()
        item = self._item()
        item.pictures, item.seconds = frames, seconds_of(pcm, rate_hz=rate_hz)
        await self._line.tell("input_audio_buffer.committed", item_id=item.id)
        if not self._conversed:
            self._conversed = True
            conversation = {"id": "conv" + self._platform.ids(32), "object": "realtime.conversation"}
            await self._line.tell("conversation.created", conversation=conversation)
        self._voice.memory.add(item)
        await self._line.tell("conversation.item.created", item=item.shown())
        self._voice.listen(item, pcm, rate_hz=rate_hz)

    def _item(self) -> Item:
        content: list[dict[str, Any]] = [{"type": "input_audio"}]
        item_id = "item" + self._platform.ids(32)
        return Item(id=item_id, kind="message", role="user", content=content, at=self._platform.clock())

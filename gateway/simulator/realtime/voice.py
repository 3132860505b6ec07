"""
The model's side of a call: it listens, thinks and speaks, one answer at a time.

Source: docs.bigmodel.cn, GLM-Realtime; users for text that comes before its voice and for what a stop looks like.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, TypeVar

from gateway.simulator.chat.mind import Thought, think
from gateway.simulator.platform import Platform
from gateway.simulator.realtime.answer import Answer, Event
from gateway.simulator.realtime.line import Line
from gateway.simulator.realtime.memory import SOUND_TOKENS_PER_SECOND, Item, Memory
from gateway.simulator.realtime.session import Session
from gateway.simulator.speech import listen, mp3, resample, seconds_of, speak
from gateway.simulator.speech.sound import SAMPLE_BYTES
from gateway.simulator.tokens import pieces

RATE_HZ = 24000
PIECE_SECONDS = 0.1

_FILLER = "好的，我马上帮你查查！"
_MP3_BYTES_PER_SECOND = 16000

Result = TypeVar("Result")


class Voice:
    """
    Listens to items and answers. ``session`` is how, ``memory`` is what was said.

    What takes long is done by ``slow``. ``count`` gives how many calls the account may hold, and holds.
    """

    def __init__(
        self, platform: Platform, line: Line, slow: Executor, *, count: Callable[[str], tuple[int, int]]
    ) -> None:
        self.session = Session()
        self.memory = Memory()
        self._platform = platform
        self._line = line
        self._slow = slow
        self._count = count
        self._listening: set[asyncio.Task[None]] = set()
        self._speaking: tuple[asyncio.Task[None], Answer] | None = None
        self._once_more = False

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Use these tasks from now on."""
        self._tasks = tasks

    @property
    def answering(self) -> bool:
        """Whether an answer is under way."""
        return self._speaking is not None

    def listen(self, item: Item, pcm: bytes, *, rate_hz: int) -> None:
        """Find out what a sound says, and tell that when it is known."""
        task = self._tasks.create_task(self._listen(item, pcm, rate_hz))
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)

    def greet(self, text: str) -> None:
        """Say something unasked."""
        self._begin(Thought(reasoning="", text=text))

    def answer(self) -> None:
        """Answer to what was said."""
        self._begin(None)

    def answer_after(self) -> None:
        """Answer to what was said once there is nothing else to say."""
        if self.answering:
            self._once_more = True
        else:
            self.answer()

    async def stop(self) -> bool:
        """Stop the answer that is under way; tells whether there was one."""
        if self._speaking is None:
            return False
        task, answer = self._speaking
        self._speaking, self._once_more = None, False
        task.cancel()
        await asyncio.wait([task])
        self._remember(answer)
        await self._tell(answer.end("cancelled", usage=self._usage(answer)))
        return True

    # --- Listening ----------------------------------------------------------------------------------

    async def _listen(self, item: Item, pcm: bytes, rate_hz: int) -> None:
        item.text = await self._slowly(listen, pcm, rate_hz)
        where = {"item_id": item.id, "content_index": 0}
        if item.text:
            item.content[0]["transcript"] = item.text
            kind = "conversation.item.input_audio_transcription.completed"
            await self._line.tell(kind, **where, transcript=item.text)
        elif pcm:
            error = {
                "code": "asr_no_result",
                "message": "asr.DoStreamAsrOnceV2 fail, err: <nil>",
                "type": "ASR_ERROR",
            }
            await self._line.tell("conversation.item.input_audio_transcription.failed", error=error, **where)

    # --- Answering ----------------------------------------------------------------------------------

    def _begin(self, thought: Thought | None) -> None:
        answer = Answer(
            response_id="resp" + self._platform.ids(32),
            item_id="item" + self._platform.ids(32),
            spoken=self.session.spoken,
            transcripts=self._platform.habits.transcripts,
        )
        self._speaking = self._tasks.create_task(self._answer(answer, thought)), answer

    async def _answer(self, answer: Answer, thought: Thought | None) -> None:
        await self._tell([answer.created(), self._limits()])
        if self._listening:
            await asyncio.wait(set(self._listening))
        thought = thought or await self._think()
        if thought.calls:
            await self._call(answer, thought)
        else:
            await self._say(answer, thought)
        self._remember(answer)
        self._speaking = None
        await self._tell(answer.end("completed", usage=self._usage(answer)))
        if self._once_more:
            self._once_more = False
            self.answer()

    async def _think(self) -> Thought:
        """Think of an answer; nothing where there is nothing to answer to."""
        conversation = self.memory.take_in(self.session, now=self._platform.clock())
        if conversation is None:
            return Thought(reasoning="")
        if conversation.search is not None and self.session.mode == "video_passive":
            about = {"description": _FILLER, "search_meta": "", "meta": "", "text_citation": ""}
            browser = {"beta_fields": {"simple_browser": about}}
            await self._line.tell("response.function_call.simple_browser", name="simple_browser", session=browser)
        return think(conversation, fences="never")

    async def _call(self, answer: Answer, thought: Thought) -> None:
        await self._tell(answer.begin(calling=True))
        for call in thought.calls:
            call_id = "call" + self._platform.ids(32)
            at = self._platform.clock()
            self.memory.add(
                Item(
                    id="item" + self._platform.ids(32),
                    kind="function_call",
                    role="assistant",
                    text=call.arguments,
                    name=call.name,
                    call_id=call_id,
                    at=at,
                    read=True,
                )
            )
            await self._tell([answer.call(call)])

    async def _say(self, answer: Answer, thought: Thought) -> None:
        words = pieces(thought.text)[: self.session.output_tokens]
        # Its place is where it begins: what is said meanwhile comes after it.
        said = Item(id=answer.item_id, kind="message", role="assistant", at=self._platform.clock(), read=True)
        self.memory.add(said)
        await self._tell(answer.begin(calling=False))
        for piece in words:
            await self._tell([answer.write(piece)])
        await self._tell(answer.finish_writing())
        if self.session.spoken and words:
            sound = await self._slowly(self._sound, "".join(words))
            await self._speak(answer, words, sound)

    async def _speak(self, answer: Answer, words: list[str], sound: list[tuple[bytes, float]]) -> None:
        """Send the voice at its pace, and each word before its sound."""
        pace, said = self._platform.habits.pace, 0
        for number, (content, seconds) in enumerate(sound, start=1):
            until = len(words) * number // len(sound)
            for word in words[said:until]:
                await self._tell(answer.transcribe(word))
            said = until
            await self._tell([answer.sound(content, seconds=seconds)])
            await asyncio.sleep(seconds / pace if pace else 0)

    def _sound(self, text: str) -> list[tuple[bytes, float]]:
        """Say a text; gives its sound in pieces, with how long each is in seconds. Takes its time."""
        voice = "tongtong" if self.session.voice == "default" else self.session.voice
        spoken, rate_hz = speak(text, voice=voice)
        content = resample(spoken, from_hz=rate_hz, to_hz=RATE_HZ)
        per_second = RATE_HZ * SAMPLE_BYTES
        if self.session.output_format == "mp3":
            seconds = seconds_of(content, rate_hz=RATE_HZ)
            content = mp3(content, rate_hz=RATE_HZ)
            per_second = max(1, round(len(content) / seconds)) if seconds else _MP3_BYTES_PER_SECOND
        size = int(per_second * PIECE_SECONDS) // SAMPLE_BYTES * SAMPLE_BYTES
        cut = [content[start : start + size] for start in range(0, len(content), size)]
        return [(piece, len(piece) / per_second) for piece in cut]

    def _remember(self, answer: Answer) -> None:
        """Keep what was said, also of an answer that was stopped."""
        said = self.memory.items.get(answer.item_id)
        if said is not None:
            said.text, said.content = answer.text, [{"type": "text", "text": answer.text}]

    # --- Numbers ------------------------------------------------------------------------------------

    def _limits(self) -> Event:
        limit, held = self._count(self.session.model)
        row = {"name": "requests", "limit": limit, "remaining": limit - held, "reset_seconds": 1.0}
        return "rate_limits.updated", {"rate_limits": [row]}

    def _usage(self, answer: Answer) -> dict[str, Any]:
        text, sound = self.memory.tokens(self.session, now=self._platform.clock())
        written = len(pieces(answer.text))
        spoken = int(answer.heard_seconds * SOUND_TOKENS_PER_SECOND)
        return {
            "total_tokens": text + sound + written + spoken,
            "input_tokens": text + sound,
            "output_tokens": written + spoken,
            "input_token_details": {"text_tokens": text, "audio_tokens": sound},
            "output_token_details": {"text_tokens": written, "audio_tokens": spoken},
        }

    # --- Within -------------------------------------------------------------------------------------

    async def _tell(self, events: Iterable[Event]) -> None:
        for kind, fields in events:
            await self._line.tell(kind, **fields)

    async def _slowly(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._slow, work, *arguments)

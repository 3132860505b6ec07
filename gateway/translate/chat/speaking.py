"""Answers that are spoken, whole and streamed: their sound, its transcript, and what they can be named by."""

import base64
from collections.abc import Mapping
from typing import ClassVar

import msgspec
from msgspec import UNSET

from gateway.glm import chat as glm
from gateway.openai.chat import chunks as openai
from gateway.openai.chat.answers import AnswerAudio, ChatCompletionChoice
from gateway.translate.answers import read_base64
from gateway.translate.chat import answer, audio_ids
from gateway.translate.chat.plan import Plan
from gateway.translate.chat.spoken import GLM_RATE, Name, name_of
from gateway.translate.chat.stream import ChatStream
from gateway.translate.chat.whole import Whole
from gateway.translate.chat.writer import Writer
from gateway.translate.sound import Samples

UNPADDED_BYTES = 6
"""So many, or a multiple, are whole samples and base64 without padding: the official SDKs join pieces as text."""


class SpokenWhole(Whole):
    """
    One whole answer as sound and its transcript; see ``Whole``.

    The sound of its choice is still GLM's own, as it takes long to convert. Without any, the text is told.
    """

    def __init__(self, told: glm.ChatAnswer, *, plan: Plan, index: int) -> None:
        super().__init__(told, plan=plan, index=index)
        self._name: Name | None = None
        if self._audio is not None and self._audio.data:
            self._name = name_of(self._audio, plan=plan, index=index)

    @property
    def leave(self) -> Mapping[str, str]:
        """What was said, for when its id does not serve any more."""
        return audio_ids.kept(self._name.id, self._name.kept(self.said)) if self._name is not None else {}

    def choice(self) -> ChatCompletionChoice:
        """Return the answer as OpenAI's, with no content beside the sound."""
        choice = super().choice()
        if self._name is None or self._audio is None:
            return choice
        audio = AnswerAudio(
            id=self._name.told,
            data=self._audio.data or "",
            expires_at=self._name.expires_at,
            transcript=self.said,
        )
        message = msgspec.structs.replace(choice.message, content=None, audio=audio)
        return msgspec.structs.replace(choice, message=message)


class SpokenStream(ChatStream):
    """One call's stream as sound and its transcript; see ``ChatStream``."""

    slow: ClassVar[bool] = True

    def __init__(self, plan: Plan, *, index: int, writer: Writer) -> None:
        super().__init__(plan, index=index, writer=writer)
        self._speech = Speech(plan, index=index)

    @property
    def leave(self) -> Mapping[str, str]:
        """What was said, for when its id does not serve any more."""
        return self._speech.leave

    def _hear(self, out: bytearray, delta: glm.AnswerMessage) -> None:
        if self._role is not UNSET:
            self._write(out, openai.Delta())
        for told in self._speech.feed(delta.audio, answer.text_of(delta.content)):
            self._write(out, told)

    def _say_rest(self, out: bytearray) -> None:
        for told in self._speech.finish():
            self._write(out, told)


class Speech:
    """
    A spoken answer on its way.

    Its id and the moment it expires are told once. Text that comes before any sound waits for it, as an answer
    without any is told as text.
    """

    def __init__(self, plan: Plan, *, index: int) -> None:
        self._plan = plan
        self._index = index
        self._name: Name | None = None
        self._waiting = ""
        self._transcript: list[str] = []
        self._samples = Samples(headerless_rate=GLM_RATE)
        self._untold = b""

    @property
    def leave(self) -> Mapping[str, str]:
        """What to remember of it; nothing where there is no sound."""
        if self._name is None:
            return {}
        return audio_ids.kept(self._name.id, self._name.kept("".join(self._transcript)))

    def feed(self, audio: glm.AnswerAudio | None, text: str) -> list[openai.Delta]:
        """Return what GLM's sound and text add; raise UpstreamProtocolError for sound that cannot be read."""
        self._waiting += text
        opened = None
        if audio is not None and self._name is None and (audio.id or audio.data):
            opened = self._name = name_of(audio, plan=self._plan, index=self._index)
        if self._name is None:
            return []
        told = []
        if opened is not None or self._waiting:
            said, self._waiting = self._waiting, ""
            self._transcript.append(said)
            audio_id = opened.told if opened is not None else UNSET
            told.append(openai.AudioDelta(id=audio_id, transcript=said))
        if audio is not None and audio.data:
            told += self._sound(self._samples.feed(read_base64(audio.data)))
        return [openai.Delta(audio=delta) for delta in told]

    def finish(self) -> list[openai.Delta]:
        """Return the last samples and the moment of expiry; the text, if there never was any sound."""
        if self._name is None:
            return [openai.Delta(content=self._waiting)] if self._waiting else []
        rest = data_of(self._untold + self._samples.finish())
        expiry = openai.AudioDelta(expires_at=self._name.expires_at)
        return [openai.Delta(audio=delta) for delta in [*rest, expiry]]

    def _sound(self, pcm: bytes) -> list[openai.AudioDelta]:
        """Return what samples add; those that would need padding wait for more."""
        pcm = self._untold + pcm
        whole = len(pcm) - len(pcm) % UNPADDED_BYTES
        self._untold = pcm[whole:]
        return data_of(pcm[:whole])


def data_of(pcm: bytes) -> list[openai.AudioDelta]:
    return [openai.AudioDelta(data=base64.b64encode(pcm).decode())] if pcm else []

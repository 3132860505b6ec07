"""Responses outside the conversation, which GLM-Realtime has not: a chat model writes, another reads them out."""

from base64 import b64encode
from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from gateway.errors import GatewayError, InvalidRequest
from gateway.openai.realtime.items import Item, Metadata, NewItem, Usage
from gateway.translate.realtime.answer import Answer
from gateway.translate.realtime.calls import Calls
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.effects import Brought, Called, Ended, Reply, Speech, Voice, Words
from gateway.translate.realtime.talk import Talk
from gateway.translate.realtime.telling_chat import chat_request
from gateway.translate.realtime.voices import speech_voice

AT_ONCE = 4
MAX_READ_OUT_CHARACTERS = 4096


class Aside(Struct, kw_only=True):
    """One that is being made; ``errand_id`` is what it waits for."""

    answer: Answer
    errand_id: str = ""
    text: str = ""
    usage: Usage | None = None


class Asides:
    """Responses outside the conversation; they need not wait for the one in it, nor for each other."""

    def __init__(self, talk: Talk, *, calls: Calls) -> None:
        self._talk = talk
        self._calls = calls
        self._under_way: dict[str, Aside] = {}

    @property
    def busy(self) -> bool:
        """Whether there are any."""
        return bool(self._under_way)

    def create(self, config: Config, *, given: Sequence[NewItem] | None, metadata: Metadata | None) -> None:
        """
        Begin one that answers what is ``given``, None: the conversation; raise InvalidRequest.

        Items of ``given`` may refer to those of the conversation.
        """
        talk = self._talk
        if len(self._under_way) == AT_ONCE:
            raise InvalidRequest(
                f"{AT_ONCE} responses outside the conversation are under way. Wait until one is done.",
                code="conversation_already_has_active_response",
            )
        items = [*talk.history] if given is None else [self._resolved(item) for item in given]
        request = chat_request(config, items, model=talk.policy.text_model)
        aside = Aside(answer=Answer(talk, config, metadata=metadata, outside=True))
        self._under_way[aside.answer.id] = aside
        aside.answer.begin()
        aside.errand_id = talk.send_out(Reply(request=request), then=partial(self._write, aside))

    def cancel(self, response_id: str | None) -> bool:
        """Stop one; False when there is none of that id."""
        aside = self._under_way.get(response_id or "")
        if aside is None:
            return False
        self._talk.forget(aside.errand_id)
        del self._under_way[aside.answer.id]
        aside.answer.close("cancelled", reason="client_cancelled")
        return True

    def _resolved(self, item: NewItem) -> NewItem | Item:
        if item.type != "item_reference":
            return item
        found = self._talk.history.get(item.id or "")
        if found is None:
            raise InvalidRequest(
                "'response.input' refers to an item that is not in the conversation.",
                param="response.input",
                code="invalid_value",
            )
        return found

    def _write(self, aside: Aside, brought: Brought) -> None:
        answer = aside.answer
        match brought:
            case Words(text):
                aside.text += text
                (answer.add_transcript if answer.config.spoken else answer.add_text)(text)
            case Called(name, arguments):
                answer.add_call(name, arguments)
            case Ended(None, usage):
                aside.usage = usage
                self._read_out(aside)
            case Ended(error):
                self._end(aside, error)
            case _:
                pass

    def _read_out(self, aside: Aside) -> None:
        config, text = aside.answer.config, aside.text.strip()[:MAX_READ_OUT_CHARACTERS]
        if not text or not config.spoken:
            self._end(aside, None)
            return
        speech = Speech(text=text, voice=speech_voice(config.voice, glm_voice=config.glm_voice))
        aside.errand_id = self._talk.send_out(speech, then=partial(self._speak, aside))

    def _speak(self, aside: Aside, brought: Brought) -> None:
        match brought:
            case Voice(pcm):
                aside.answer.add_audio(b64encode(pcm).decode("ascii"))
            case Ended(error):
                self._end(aside, error)
            case _:
                pass

    def _end(self, aside: Aside, error: GatewayError | None) -> None:
        del self._under_way[aside.answer.id]
        self._calls.foreign.update(aside.answer.calls)
        if error is None:
            aside.answer.close("completed", usage=aside.usage)
        else:
            aside.answer.close("failed", error=error, usage=aside.usage)

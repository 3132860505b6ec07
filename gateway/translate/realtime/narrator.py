"""Typed messages read out to GLM, which is said not to read what is typed."""

from functools import partial

from msgspec import Struct

from gateway.translate.realtime.effects import Brought, Ended, Speech, Voice
from gateway.translate.realtime.microphone import Microphone
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.sound import Converter
from gateway.translate.realtime.talk import Talk

VOICE = "tongtong"
MAX_CHARACTERS = 400
"""About what is read out in the 30 s that GLM hears at once, in Chinese; more goes into the instructions."""


class Script(Struct, kw_only=True):
    """A message that is being read out; ``pcm`` is 16 kHz mono s16le."""

    item_id: str
    converter: Converter
    pcm: bytearray
    ended: bool = False


class Narrator:
    """Reads messages out in their order; each becomes a turn of the user's once it is whole."""

    def __init__(self, talk: Talk, *, setup: Setup, microphone: Microphone) -> None:
        self._talk = talk
        self._setup = setup
        self._microphone = microphone
        self._scripts: list[Script] = []

    @property
    def busy(self) -> bool:
        """Whether GLM has still to hear something."""
        return bool(self._scripts)

    def read_out(self, item_id: str, text: str) -> bool:
        """Begin to read a message out; False when it is too long for that, or has no words."""
        if len(text) > MAX_CHARACTERS:
            return False
        script = Script(item_id=item_id, converter=self._talk.sound.to_glm("audio/pcm"), pcm=bytearray())
        self._scripts.append(script)
        self._talk.send_out(Speech(text=text, voice=VOICE), then=partial(self._take, script))
        return True

    def advance(self) -> None:
        """Have GLM hear what is whole, unless the user speaks just now."""
        while self._scripts and self._scripts[0].ended and not self._microphone.speaking:
            script = self._scripts.pop(0)
            if script.pcm:
                self._microphone.speak(bytes(script.pcm), item_id=script.item_id)

    def _take(self, script: Script, brought: Brought) -> None:
        match brought:
            case Voice(pcm):
                script.pcm += script.converter.feed(pcm)
            case Ended(None):
                script.pcm += script.converter.finish()
                script.ended = True
            case _:
                # It could not be read out: the instructions tell it.
                self._setup.folds = True
                script.pcm.clear()
                script.ended = True

"""
Plays transcripts: what one side sends, and what both sides are told of it, line by line and in order.

    client> an event of the client's            >glm    what GLM is told next
    glm>    an event of GLM's                   >client what the client is told next
    time>   seconds that pass                   >errand what GLM's other models are to do next
    brings> what comes of an errand             >forget an errand for which nobody waits any more

A line on the right has to match the next effect; fields that it does not name may be anything. A text "$name"
stands for whatever it first meets, and for the same from then on. "closes" matches the end of the session.
"""

import base64
import itertools
import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import pydantic
from msgspec.structs import replace
from openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
from openai.types.realtime import RealtimeServerEvent

from gateway.errors import UpstreamFailed
from gateway.openai.realtime.session import FormatType
from gateway.translate.realtime import (
    Brought,
    Close,
    Effect,
    Errand,
    Forget,
    Policy,
    Refused,
    Scribe,
    ToClient,
    ToGlm,
    Translator,
)
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.effects import Called, Ended, Picture, Task, Voice, Words
from gateway.translate.realtime.shapes import Beta, Today
from gateway.translate.realtime.sound import Converter
from gateway.translate.realtime.talk import Talk

VALIDATORS: dict[str, pydantic.TypeAdapter[Any]] = {
    "today": pydantic.TypeAdapter(RealtimeServerEvent),
    "beta": pydantic.TypeAdapter(BetaServerEvent),
}
VOICES = ("tongtong", "xiaochen", "female-tianmei", "female-shaonv", "male-qn-daxuesheng", "male-qn-jingying")


class Decimating:
    """24 kHz to 16 kHz in the simplest way: of three samples two are kept."""

    def __init__(self) -> None:
        self._odd = b""

    def feed(self, audio: bytes) -> bytes:
        audio = self._odd + audio
        whole = len(audio) - len(audio) % 6
        self._odd = audio[whole:]
        samples = array("h", audio[:whole])
        return array("h", [one for place, one in enumerate(samples) if place % 3 != 2]).tobytes()

    def finish(self) -> bytes:
        return b""


class Doubling:
    """One byte to two, so that G.711 can be told from pcm."""

    def feed(self, audio: bytes) -> bytes:
        return bytes(itertools.chain.from_iterable((byte, byte) for byte in audio))

    def finish(self) -> bytes:
        return b""


class Halving:
    """Every second byte."""

    def feed(self, audio: bytes) -> bytes:
        return audio[::2]

    def finish(self) -> bytes:
        return b""


class PlainSound:
    """Conversions that a test can do in its head."""

    def to_glm(self, form: FormatType) -> Converter:
        return Decimating() if form == "audio/pcm" else Doubling()

    def to_client(self, form: FormatType) -> Converter | None:
        return None if form == "audio/pcm" else Halving()


def create_talk(
    *, shape: str = "today", policy: Policy | None = None, kind: Literal["realtime", "transcription"], **rest: Any
) -> Talk:
    ids = map(str, itertools.count(1))
    config = Config.first(
        model="glm-realtime",
        asked_model="gpt-4o-realtime-preview" if shape == "beta" else "glm-realtime",
        voices=VOICES,
        voice="tongtong",
    )
    return Talk(
        config=replace(config, kind=kind),
        policy=policy or Policy(),
        shape=Beta() if shape == "beta" else Today(),
        sound=PlainSound(),
        new_id=lambda: next(ids),
        session_id="sess_1",
        conversation_id="conv_1",
        expires_at=1_800_000_000,
        **rest,
    )


class Player:
    """A session that a test speaks to from both sides. ``told`` has all that the client was told, validated."""

    def __init__(
        self,
        *,
        shape: str = "today",
        policy: Policy | None = None,
        kind: Literal["realtime", "transcription"] = "realtime",
        **rest: Any,
    ) -> None:
        talk = create_talk(shape=shape, policy=policy, kind=kind, **rest)
        self.translator: Translator | Scribe = (
            Scribe(talk, model="glm-asr") if kind == "transcription" else Translator(talk)
        )
        self.now = 100.0
        self.told: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.names: dict[str, Any] = {}
        self._validate: Callable[[object], object] = VALIDATORS[shape].validate_python
        self._event_ids: set[str] = set()
        self.pending = self._taken(self.translator.start(None, now=self.now))

    def client(self, event: dict[str, Any] | str) -> None:
        data = event if isinstance(event, str) else json.dumps(event)
        self.pending += self._taken(self.translator.from_client(data, now=self.now))

    def glm(self, event: dict[str, Any] | str) -> None:
        data = event if isinstance(event, str) else json.dumps(event)
        self.pending += self._taken(self.translator.from_glm(data, now=self.now))

    def bring(self, told: dict[str, Any]) -> None:
        """Bring what an errand brings, as a transcript has it."""
        for brought in brought_of(told):
            self.pending += self._taken(self.translator.bring(told["id"], brought, now=self.now))

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with every alarm at its moment."""
        until = self.now + seconds
        while (due := self.translator.due) is not None and due <= until:
            self.now = max(self.now, due)
            self.pending += self._taken(self.translator.wake(now=self.now))
        self.now = until

    def resume(self) -> None:
        """Go on with another connection to GLM."""
        self.pending += self._taken(self.translator.resume(now=self.now))

    def take(self) -> list[tuple[str, Any]]:
        """Give all that was sent since the last look."""
        pending, self.pending = self.pending, []
        return pending

    def _taken(self, effects: Sequence[Effect]) -> list[tuple[str, Any]]:
        taken: list[tuple[str, Any]] = []
        for effect in effects:
            match effect:
                case ToClient(name, data):
                    event = json.loads(data)
                    assert name == event["type"]
                    assert event["event_id"] not in self._event_ids
                    self._event_ids.add(event["event_id"])
                    self._validate(event)
                    self.told.append(event)
                    taken.append((">client", event))
                case ToGlm(name, data):
                    event = json.loads(data)
                    assert name == event["type"]
                    self.asked.append(event)
                    taken.append((">glm", event))
                case Close(code, reason):
                    taken.append(("closes", {"code": code, "reason": reason}))
                case Refused(error):
                    taken += self._taken(self.translator.refused(error, now=self.now))
                case Errand(errand_id, what):
                    taken.append((">errand", {"id": errand_id, **errand_of(what)}))
                case Forget(errand_id):
                    taken.append((">forget", {"id": errand_id}))
        return taken


def errand_of(what: Task) -> dict[str, Any]:
    """Give an errand as a transcript has it: sound by its seconds, requests as what they are."""
    told: dict[str, Any] = {"kind": type(what).__name__.lower()}
    for name in what.__struct_fields__:
        value = getattr(what, name)
        told[name] = json.loads(value) if name == "request" else value
        if name == "pcm":
            told[name] = len(value) / 32_000
        elif isinstance(value, bytes) and name != "request":
            told[name] = len(value)
    return told


def brought_of(told: dict[str, Any]) -> Iterator[Brought]:
    if "words" in told:
        yield Words(told["words"])
    if "voice" in told:
        yield Voice(base64.b64decode(told["voice"]))
    if "picture" in told:
        yield Picture(base64.b64decode(told["picture"]))
    if "call" in told:
        yield Called(*told["call"])
    if "fails" in told:
        yield Ended(UpstreamFailed(told["fails"]))
    if "ends" in told:
        yield Ended()


def play(text: str, **settings: Any) -> Player:
    """Play a transcript; the session's own beginning is left out of it, and confirmed by GLM."""
    player = Player(**settings)
    player.glm({"type": "session.created"})
    player.glm({"type": "session.updated"})
    player.take()
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        side, _, told = stripped.partition(" ")
        at = f"line {number}: {stripped}"
        if side in {"client>", "glm>", "time>", "brings>"}:
            assert player.pending == [], f"not expected before {at}: {shown(player.pending)}"
            send(player, side, told.strip())
        else:
            assert player.pending, f"nothing was sent at {at}"
            actual_side, event = player.pending.pop(0)
            assert side == actual_side, f"{at}, but there was {shown([(actual_side, event)])}"
            expected = json.loads(named(told))
            assert matches(expected, event, player.names), f"{at}, but there was {json.dumps(event)}"
    assert player.pending == [], f"not expected at the end: {shown(player.pending)}"
    return player


def send(player: Player, side: str, told: str) -> None:
    if side == "time>":
        player.pass_time(float(told))
        return
    for name, value in player.names.items():
        told = told.replace(f'"{name}"', json.dumps(value))
    if side == "brings>":
        player.bring(json.loads(told))
        return
    told = named(told)
    (player.client if side == "client>" else player.glm)(told)


def named(told: str) -> str:
    for name, data in NAMED.items():
        told = told.replace(f'"<{name}>"', json.dumps(data))
    return told


def matches(expected: Any, actual: Any, names: dict[str, Any]) -> bool:
    """Tell whether everything that is expected is there; names are learnt on the way."""
    if isinstance(expected, str) and expected.startswith("$"):
        return bool(names.setdefault(expected, actual) == actual)
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            name in actual and matches(value, actual[name], names) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(matches(one, other, names) for one, other in zip(expected, actual, strict=True))
        )
    return bool(expected == actual)


def shown(pending: Sequence[tuple[str, Any]]) -> str:
    return "\n".join(f"{side} {json.dumps(event)[:400]}" for side, event in pending)


def silence(seconds: float, *, hertz: int = 24_000) -> str:
    """Give base64 of nothing to hear."""
    return base64.b64encode(bytes(int(seconds * hertz) * 2)).decode()


def tone(seconds: float, *, hertz: int = 24_000, level: int = 8000) -> str:
    """Give base64 of something to hear."""
    samples = array("h", [level if place // 30 % 2 else -level for place in range(int(seconds * hertz))])
    return base64.b64encode(samples.tobytes()).decode()


JPEG = bytes.fromhex("ffd8ffc0001108004000400301220002110103110103ffd9")
"""The parts of a picture of 64 by 64 that tell what it is."""
WIDE_JPEG = JPEG.replace(b"\x00\x40\x00\x40", b"\x00\x40\x10\x00")
NAMED = {
    "a JPEG": "data:image/jpeg;base64," + base64.b64encode(JPEG).decode(),
    "a JPEG alone": base64.b64encode(JPEG).decode(),
    "a wide JPEG": "data:image/jpeg;base64," + base64.b64encode(WIDE_JPEG).decode(),
    "a PNG": "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n").decode(),
    "1 s of speech": tone(1.0),
    "1 s of silence": silence(1.0),
    "31 s of silence": silence(31.0),
    "100 ms of silence": silence(0.1),
}
"""What transcripts call by its name."""

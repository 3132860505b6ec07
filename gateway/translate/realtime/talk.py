"""What the parts of one conversation share, and the way out of it for events of both kinds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, get_args

import msgspec

from gateway.errors import GatewayError
from gateway.glm.realtime import client as glm
from gateway.openai.realtime import server
from gateway.openai.realtime.items import Item
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.effects import (
    Brought,
    Close,
    Effect,
    Ended,
    Errand,
    Forget,
    Refused,
    Task,
    ToClient,
    ToGlm,
)
from gateway.translate.realtime.history import History
from gateway.translate.realtime.policy import Policy
from gateway.translate.realtime.shapes import Shape
from gateway.translate.realtime.sound import Sound

encode = msgspec.json.Encoder().encode
GLM_NAMES: Final = {kind: kind.__struct_config__.tag for kind in get_args(glm.Sent)}


@dataclass(kw_only=True)
class Talk:
    """
    One conversation.

    ``new_id`` makes ids of letters and digits; ``now`` is the moment of the event that is being dealt with, in
    seconds of any clock. ``alarms`` are the moments at which somebody wants to be woken, by name.
    ``check_transcriber`` raises ModelNotFound or InvalidRequest for a model that writes nothing down. ``asked``
    counts what GLM was sent.
    """

    config: Config
    policy: Policy
    shape: Shape
    sound: Sound
    new_id: Callable[[], str]
    session_id: str
    conversation_id: str
    expires_at: int
    check_transcriber: Callable[[str], None] = lambda _: None
    strict: bool = False
    now: float = 0.0
    history: History = field(default_factory=History)
    alarms: dict[str, float] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    errands: dict[str, Callable[[Brought], None]] = field(default_factory=dict)
    spoken_bytes: int = 0
    asked: int = 0

    def tell(self, event: server.ServerEvent) -> None:
        """Send an event to the client, if its shape has it."""
        name = self.shape.names.get(type(event))
        if name is None:
            return
        head = f'{{"type":"{name}","event_id":"event_{self.new_id()}"'.encode()
        body = encode(event)
        data = head + b"}" if body == b"{}" else head + b"," + body[1:]
        self.effects.append(ToClient(name, data))

    def refuse(self, error: GatewayError, *, event_id: str | None = None) -> None:
        """Tell the client of an error; ``event_id`` is that of its event at fault, None when none is."""
        self.tell(
            server.ErrorTold(
                error=server.ErrorDetail(
                    type=error.type, code=error.code, message=error.message, param=error.param, event_id=event_id
                )
            )
        )

    def ask(self, event: glm.Sent) -> None:
        """Send an event to GLM."""
        self.asked += 1
        self.effects.append(ToGlm(GLM_NAMES[type(event)], encode(event)))

    def report(self, error: GatewayError) -> None:
        """Have learnt from an error of GLM's; what it means for the conversation is decided after that."""
        self.effects.append(Refused(error))

    def send_out(self, what: Task, *, then: Callable[[Brought], None]) -> str:
        """Have something done beside the call; ``then`` is called with what it brings. Returns its id."""
        errand_id = self.id_of("errand")
        self.errands[errand_id] = then
        self.effects.append(Errand(errand_id, what))
        return errand_id

    def bring(self, errand_id: str, brought: Brought) -> None:
        """Take what an errand brings; nothing happens when nobody waits for it any more."""
        then = self.errands.get(errand_id)
        if isinstance(brought, Ended):
            self.errands.pop(errand_id, None)
        if then is not None:
            then(brought)

    def forget(self, errand_id: str) -> None:
        """Wait no longer for an errand."""
        if self.errands.pop(errand_id, None) is not None:
            self.effects.append(Forget(errand_id))

    def close(self, *, code: int, reason: str) -> None:
        """End the session."""
        self.effects.append(Close(code, reason))

    def add(self, item: Item, *, after: str | None = None) -> None:
        """Put an item into the conversation and tell the client."""
        previous = self.history.add(item, after=after)
        self.tell(server.ItemAdded(previous_item_id=previous, item=self.shape.item(item)))

    def finish(self, item: Item) -> None:
        """Tell the client that an item is whole."""
        self.history.put(item)
        previous = self.history.previous(item.id)
        self.tell(server.ItemDone(previous_item_id=previous, item=self.shape.item(item)))

    def wake(self, name: str, *, after_seconds: float) -> None:
        """Ask to be woken; again moves the moment."""
        self.alarms[name] = self.now + after_seconds

    def rest(self, name: str) -> None:
        """Do not want to be woken any more."""
        self.alarms.pop(name, None)

    def id_of(self, kind: str) -> str:
        """Return a new id that says what it is of; 32 characters at most, as clients expect."""
        return f"{kind}_{self.new_id()}"[:32]

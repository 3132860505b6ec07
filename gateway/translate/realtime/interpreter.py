"""What a session between a client and anything behind it is, seen from outside: events in, effects out."""

from abc import ABC, abstractmethod

from msgspec.structs import replace

from gateway.errors import GatewayError
from gateway.openai.realtime import client, server
from gateway.openai.realtime.session import Session, SessionChange
from gateway.translate.realtime.changes import changed
from gateway.translate.realtime.effects import Brought, Effect
from gateway.translate.realtime.reading import CLIENT_NAMES, UnreadableError, read_client
from gateway.translate.realtime.talk import Talk

OTHER = "other"


class Interpreter(ABC):
    """
    One session, of whatever kind.

    Every call takes the moment, in seconds of any clock, and returns what is to be done, in order. ``read`` is the
    type of the event that came last, "other" if it could not be read. What is said here about GLM's end holds for
    a session that has none.
    """

    def __init__(self, talk: Talk) -> None:
        self.read = OTHER
        self._talk = talk

    @abstractmethod
    def _begin(self) -> None:
        """Follow the configuration that the session begins with, once the client knows it."""

    @abstractmethod
    def _ask(self, event: client.ClientEvent) -> None:
        """Do what the client wants; raise InvalidRequest."""

    def start(self, change: SessionChange | None, *, now: float) -> list[Effect]:
        """
        Begin: tell both sides what holds.

        ``change`` is what the client's key brings with it, None for nothing. Raises InvalidRequest for it.
        """
        talk = self._talk
        talk.now = now
        if change is not None:
            # What the session is for was decided before: the address may say so, whatever the key was made for.
            talk.config = replace(changed(talk.config, change), kind=talk.config.kind)
        talk.tell(server.SessionCreated(session=self._session()))
        self._begin()
        return self._effects()

    def from_client(self, data: str | bytes, *, now: float) -> list[Effect]:
        """Deal with what the client sends; whatever is wrong with it becomes an error event."""
        self._talk.now = now
        event_id, self.read = None, OTHER
        try:
            event = read_client(data)
            event_id, self.read = event.event_id, CLIENT_NAMES[type(event)]
            self._ask(event)
        except UnreadableError as unreadable:
            self._talk.refuse(unreadable.error, event_id=unreadable.event_id)
        except GatewayError as error:
            self._talk.refuse(error, event_id=event_id)
        return self._effects()

    def from_glm(self, data: str | bytes, *, now: float) -> list[Effect]:
        """Deal with what GLM sends."""
        del data, now
        return []

    def refused(self, error: GatewayError, *, now: float) -> list[Effect]:
        """Deal with an error of GLM's that was learnt from: the session goes on where it is."""
        del error, now
        return []

    def bring(self, errand_id: str, brought: Brought, *, now: float) -> list[Effect]:
        """Take what an errand brings."""
        self._talk.now = now
        self._talk.bring(errand_id, brought)
        return self._effects()

    def wake(self, *, now: float) -> list[Effect]:
        """Do what is due."""
        del now
        return []

    @property
    def due(self) -> float | None:
        """When ``wake`` is to be called if nothing happens before, None for never."""
        return None

    def resume(self, *, now: float) -> list[Effect]:
        """Go on with a new connection to GLM, which knows nothing yet."""
        del now
        return []

    @property
    def resumable(self) -> bool:
        """Whether a new connection may go better than the one that was lost."""
        return False

    def end(self, error: GatewayError, *, code: int) -> list[Effect]:
        """End the session for a reason that the client is told."""
        self._talk.refuse(error)
        self._talk.close(code=code, reason=error.code or error.type)
        return self._effects()

    @property
    @abstractmethod
    def responding(self) -> bool:
        """Whether the client waits for something to end."""

    @property
    @abstractmethod
    def heard_bytes(self) -> int:
        """How much of the user's voice there was, in bytes of 16 kHz s16le."""

    @property
    def dropped_bytes(self) -> int:
        """How much of that GLM never took."""
        return 0

    @property
    def spoken_bytes(self) -> int:
        """How much GLM has spoken, in bytes of 24 kHz s16le."""
        return self._talk.spoken_bytes

    @property
    def full(self) -> bool:
        """Whether the client has to wait before it sends more."""
        return False

    def _session(self) -> Session:
        talk = self._talk
        return talk.shape.session(talk.config, session_id=talk.session_id, expires_at=talk.expires_at)

    def _effects(self) -> list[Effect]:
        effects, self._talk.effects = self._talk.effects, []
        return effects

"""Time in a session: when to wake the translator, and when a session has to end."""

import asyncio
from collections.abc import Callable

from gateway.errors import Draining, GatewayError, SessionExpired, SlotLost
from gateway.session.desk import SessionPolicy

LOOK_SECONDS = 1.0
"""How often is looked whether a session has to end; translators are woken to the moment."""


CLIENT_STALL_SECONDS = 60.0
"""How long a client may read nothing while something waits for it; then it is taken for gone."""
GLM_STALL_SECONDS = 10.0
"""How long GLM may take nothing of what it is sent; then the connection is given up."""
ANSWERING = {"input_audio_buffer.committed", "response.created"}
"""What an answer comes after: from then on the user waits for it to sound."""


class Watch:
    """
    Keeps the time of a session, by ``clock``.

    ``client_sent_from`` and ``glm_sent_from`` are since when one of them is being sent something; None: they are
    not.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._answered_from: float | None = None
        self.client_sent_from: float | None = None
        self.glm_sent_from: float | None = None
        self._clock = clock
        self._began_at = self._heard_at = clock()
        self._draining_at: float | None = None
        self._slot_is_lost = False
        self._reminder = asyncio.Event()
        self._until: float | None = None

    def hear_client(self) -> None:
        """Take note that the client has said something."""
        self._heard_at = self._clock()

    def lose_slot(self) -> None:
        """Take note that the slot may be somebody else's."""
        self._slot_is_lost = True
        self._reminder.set()

    def waited_for(self, name: str) -> float | None:
        """Return for how long the user has waited for the sound that an event brings; None: it brings none."""
        if name in ANSWERING:
            self._answered_from = self._answered_from or self._clock()
        elif self._answered_from is not None:
            since = self._answered_from
            if name.endswith("audio.delta"):
                self._answered_from = None
                return self._clock() - since
            if name == "response.done":
                self._answered_from = None
        return None

    def remind(self, due: float | None) -> None:
        """Wake whoever waits, if there is something to do before it would wake by itself."""
        if due is not None and (self._until is None or due < self._until):
            self._reminder.set()

    async def wait(self, *, until: float | None) -> None:
        """Wait until then, or until the next look, or until something is to be done before."""
        now = self._clock()
        self._until = min(until, now + LOOK_SECONDS) if until is not None else now + LOOK_SECONDS
        self._reminder.clear()
        if self._slot_is_lost:
            return
        try:
            async with asyncio.timeout(max(0.0, self._until - now)):
                await self._reminder.wait()
        except TimeoutError:
            return

    @property
    def client_stalls(self) -> bool:
        """Whether the client has taken nothing for too long."""
        return self.client_sent_from is not None and self._clock() - self.client_sent_from > CLIENT_STALL_SECONDS

    @property
    def glm_stalls(self) -> bool:
        """Whether GLM has taken nothing for too long."""
        return self.glm_sent_from is not None and self._clock() - self.glm_sent_from > GLM_STALL_SECONDS

    def verdict(self, policy: SessionPolicy, *, draining: bool, responding: bool) -> GatewayError | None:
        """Return why the session has to end, None while it may go on. A drain lets a response end first."""
        now = self._clock()
        if self._slot_is_lost:
            return SlotLost("The gateway could not renew this session's slot in time. Connect again.")
        if now - self._began_at >= policy.max_seconds:
            return SessionExpired(
                f"Your session hit the maximum duration of {policy.max_seconds / 60:g} minutes. Connect again."
            )
        if policy.idle_seconds and now - self._heard_at >= policy.idle_seconds and not responding:
            return SessionExpired(f"Nothing was sent for {policy.idle_seconds:g} s. Connect again.")
        if draining:
            self._draining_at = self._draining_at or now
            if not responding or now - self._draining_at >= policy.drain_seconds:
                return Draining("This gateway is shutting down. Connect again.")
        return None

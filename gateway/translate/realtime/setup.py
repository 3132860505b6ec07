"""What GLM was told about the session, and what it has confirmed of that."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import UNSET
from msgspec.structs import replace

from gateway.errors import GatewayError, InvalidRequest
from gateway.glm.realtime import client as glm
from gateway.openai.realtime import server
from gateway.openai.realtime.session import SessionChange
from gateway.translate.realtime.changes import changed
from gateway.translate.realtime.config import Config
from gateway.translate.realtime.history import notes_of, written
from gateway.translate.realtime.talk import Talk
from gateway.translate.realtime.telling_glm import asks_for_video, to_glm

PATIENCE_SECONDS = 2.0
"""Confirmations may be late, and need not be waited for."""


BEFORE = "What was said so far:"


class Update:
    """
    An update that GLM has not confirmed.

    ``answer`` is what the client is told then, None when the update is ours alone. ``former`` is what holds again
    should GLM refuse it. ``number`` is which of all events to GLM it is.
    """

    def __init__(
        self,
        *,
        answer: server.ServerEvent | None = None,
        event_id: str | None = None,
        former: Config | None = None,
    ) -> None:
        self.number = 0
        self.answer = answer
        self.event_id = event_id
        self.former = former


class Setup:
    """
    Keeps GLM told.

    ``video`` is true from the first picture on. ``hears_turns`` says who detects turns: GLM, or the gateway.
    ``confirmed``: GLM has taken something since the connection began. ``folds``: what is typed is told within the
    instructions, because GLM does not read it otherwise.
    """

    def __init__(self, talk: Talk) -> None:
        self.video = False
        self.confirmed = False
        self.folds = talk.policy.typed_text == "instructions"
        self._talk = talk
        self._before: list[str] = []
        self._waiting: list[Update] = []
        self._overridden = False

    @property
    def settled(self) -> bool:
        """Whether GLM has confirmed everything."""
        return not self._waiting

    def asked_before(self, number: int) -> bool:
        """Whether GLM was sent the oldest update that it has not confirmed before an event of that number."""
        return bool(self._waiting) and self._waiting[0].number < number

    @property
    def reads_out(self) -> bool:
        """Whether what is typed is read out to GLM."""
        return self._talk.policy.typed_text == "speech" and not self.folds

    @property
    def hears_turns(self) -> bool:
        """Whether GLM detects turns, where they are to be detected."""
        mode, config = self._talk.policy.turn_detection, self._talk.config
        if self._talk.policy.typed_text == "speech":  # What is read out is committed, which only clients can do.
            return False
        return mode == "upstream" or (mode == "auto" and not config.tools)

    def begin(self) -> None:
        """Tell GLM what holds, at first or after a lost connection; what it had not confirmed holds too."""
        waiting, self._waiting = self._waiting, []
        for update in waiting:
            self._finish(update)
        self._overridden = False
        self.video = self.video or asks_for_video(self._talk.config)
        self._ask(self._talk.config, Update())

    def begin_anew(self) -> None:
        """
        Tell a GLM that knows nothing what holds, and what was said.

        Within the instructions as well, since users report that it passes over items that tell a conversation.
        """
        self.confirmed = False
        self._before = written(self._talk.history)
        self._talk.history.unlink()
        self.begin()

    def change(self, change: SessionChange, *, event_id: str | None, flat: bool) -> None:
        """Change the session for the client; raise InvalidRequest. ``flat``: by beta's transcription event."""
        talk = self._talk
        former, config = talk.config, changed(talk.config, change)
        check_kind(former, config, change)
        video = self.video or asks_for_video(config)
        if video and config.tools:
            raise InvalidRequest(
                "GLM-Realtime calls no functions once there are pictures; leave 'tools' empty.",
                param="session.tools",
                code="unsupported_value",
            )
        talk.config, self.video = config, video
        session = talk.shape.session(config, session_id=talk.session_id, expires_at=talk.expires_at)
        kind = server.TranscriptionSessionUpdated if flat else server.SessionUpdated
        self._ask(config, Update(answer=kind(session=session), event_id=event_id, former=former))

    def override(self, config: Config) -> None:
        """Tell GLM what holds for the next response only."""
        self._overridden = True
        self._ask(config, Update())

    def restore(self) -> None:
        """Tell GLM what holds otherwise, if it was told something else."""
        if self._overridden:
            self._overridden = False
            self._ask(self._talk.config, Update())

    @contextmanager
    def without_turns(self) -> Iterator[bool]:
        """Have GLM detect no turns within this, or it takes no commit; gives whether it does otherwise."""
        detects = self.hears_turns and self._talk.config.turn_detection is not None
        if detects:
            self._ask(replace(self._talk.config, turn_detection=None), Update())
        yield detects
        if detects:
            self.refresh()

    def refresh(self) -> None:
        """Tell GLM again, because something other than the configuration has changed."""
        self._ask(self._talk.config, Update())

    def confirm(self) -> None:
        """Take GLM's word that the oldest update holds."""
        self.confirmed = True
        if self._waiting:
            self._finish(self._waiting.pop(0))

    def confirm_all(self) -> None:
        """Wait no longer for GLM's word."""
        while self._waiting:
            self._finish(self._waiting.pop(0))

    def fail(self, error: GatewayError) -> None:
        """Take GLM's refusal of the oldest update; those on their way have it in them, and may be taken."""
        update = self._waiting.pop(0)
        later = next((other for other in self._waiting if other.former is not None), None)
        if later is not None and update.former is not None:
            later.former = update.former
        elif update.former is not None:
            self._talk.config = update.former
        self._talk.refuse(error, event_id=update.event_id)
        self._watch()

    def _ask(self, config: Config, update: Update) -> None:
        typed = written(self._talk.history) if self.folds else ()
        notes = notes_of(self._talk.history) if self.reads_out else []
        if self._before and not self.folds:
            notes = [*notes, "\n".join([BEFORE, *self._before])]
        session = to_glm(config, hears_turns=self.hears_turns, video=self.video, notes=notes, typed=typed)
        self._talk.ask(glm.SessionUpdate(session=session))
        update.number = self._talk.asked
        self._waiting.append(update)
        self._watch()

    def _finish(self, update: Update) -> None:
        if update.answer is not None:
            self._talk.tell(update.answer)
        self._watch()

    def _watch(self) -> None:
        if self._waiting:
            self._talk.wake("update", after_seconds=PATIENCE_SECONDS)
        else:
            self._talk.rest("update")


def check_kind(former: Config, config: Config, change: SessionChange) -> None:
    """Raise InvalidRequest for what cannot change once a session is open."""
    if change.type is not UNSET and config.kind != former.kind:
        raise InvalidRequest(
            f"'session.type' is {former.kind!r} and cannot change; open another connection for {config.kind!r}.",
            param="session.type",
            code="invalid_value",
        )

"""The user's turns: the one under way, and those that GLM was told have ended, until it has taken them."""

from typing import Literal

from gateway.openai.realtime import server
from gateway.openai.realtime.items import Content, Item
from gateway.translate.realtime.sound import INPUT_BYTES_PER_SECOND
from gateway.translate.realtime.talk import Talk
from gateway.translate.realtime.transcripts import Transcripts

COMMIT_PATIENCE_SECONDS = 3.0

Telling = Literal["commit", "item"]
"""The two events by which GLM tells that it has taken a turn, in either order."""


class Turn:
    """
    What is known of the turn under way.

    ``size_bytes`` is how much of it GLM was given or will be. ``item_id`` is the item that it will be, None where
    the client was told of none. ``end_ms`` is when it has ended, None while it has not.
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self.item_id: str | None = None
        self.end_ms: int | None = None
        self._start_ms = 0

    def begin(self, *, item_id: str, start_ms: int) -> None:
        """Take it that the user begins to speak."""
        self.item_id, self._start_ms, self.end_ms = item_id, start_ms, None

    def drop(self) -> None:
        """Forget what was heard."""
        self.size_bytes, self.item_id = 0, None

    def take(self) -> tuple[str | None, float]:
        """Return which item it will be and how many seconds it was long, and begin with the next."""
        seconds = self.size_bytes / INPUT_BYTES_PER_SECOND
        if self.end_ms is not None:
            seconds = max(0, self.end_ms - self._start_ms) / 1000
        item_id = self.item_id
        self.size_bytes, self.item_id, self.end_ms = 0, None, None
        return item_id, seconds


class Commit:
    """
    A turn that GLM was told has ended.

    ``event_id`` is that of the client's commit, None when it made none; ``seconds`` is how long it was, None where
    nobody has to write down what is said in it. ``given``: its item is there already. ``number`` is which of all
    events to GLM it is.
    """

    def __init__(
        self,
        *,
        number: int,
        event_id: str | None = None,
        item_id: str | None = None,
        seconds: float | None = 0.0,
        given: bool = False,
    ) -> None:
        self.number = number
        self.event_id = event_id
        self.item_id = item_id
        self.seconds = seconds
        self.given = given


class Commits:
    """
    Makes items of turns, once GLM has taken them.

    ``waiting`` are those that it has not confirmed yet, the oldest first. ``turn`` is the one under way, which GLM
    may end by itself.
    """

    def __init__(self, talk: Talk, *, turn: Turn, transcripts: Transcripts) -> None:
        self.waiting: list[Commit] = []
        self._talk = talk
        self._turn = turn
        self._transcripts = transcripts
        self._presumed: list[str] = []
        self._told_by: dict[str, set[Telling]] = {}

    def add(self, *, event_id: str | None) -> None:
        """Take it that GLM was just told that the turn under way has ended."""
        self._add(self._end_turn(event_id=event_id))

    def add_given(self, item_id: str, *, seconds: float | None) -> None:
        """Take it that GLM was just told the end of what is an item of the client's already."""
        self._add(Commit(number=self._talk.asked, item_id=item_id, seconds=seconds, given=True))

    @property
    def awaits_item(self) -> bool:
        """Whether a turn has ended that is no item yet."""
        return bool(self.waiting) or self._turn.end_ms is not None

    def confirm(self, glm_id: str | None, *, by: Telling) -> None:
        """Make an item of a turn that GLM has taken, unless it was made already."""
        if not self._is_made(glm_id, by=by):
            self._make_item(glm_id)

    def presume(self) -> None:
        """Take it that GLM has taken the oldest turn of which it says nothing: it tells of what it cannot take."""
        if self.waiting:
            item_id = self.waiting[0].item_id
            self._make_item(None)
            if taken := item_id or self._talk.history.last:
                self._presumed.append(taken)

    def give_up(self) -> Commit | None:
        """Return the oldest that GLM has not taken, which it will not take any more; None when there is none."""
        commit = self.waiting.pop(0) if self.waiting else None
        if self.waiting:
            self._talk.wake("commit", after_seconds=COMMIT_PATIENCE_SECONDS)
        else:
            self._talk.rest("commit")
        return commit

    def _add(self, commit: Commit) -> None:
        self.waiting.append(commit)
        self._talk.wake("commit", after_seconds=COMMIT_PATIENCE_SECONDS)

    def _end_turn(self, *, event_id: str | None = None) -> Commit:
        item_id, seconds = self._turn.take()
        return Commit(number=self._talk.asked, event_id=event_id, item_id=item_id, seconds=seconds)

    def _is_made(self, glm_id: str | None, *, by: Telling) -> bool:
        """Whether what GLM tells is of a turn that is an item, and not of another that it calls the same."""
        if glm_id is None:
            return False
        told_by = self._told_by.setdefault(glm_id, set())
        made = self._talk.history.linked(glm_id) is not None and not (by in told_by and self.awaits_item)
        if not made:
            told_by.clear()
        told_by.add(by)
        return made

    def _make_item(self, glm_id: str | None) -> None:
        talk = self._talk
        if self._presumed and not self.awaits_item:
            talk.history.link(glm_id, self._presumed.pop(0))
            return
        commit = self.give_up() or self._end_turn()
        item_id = commit.item_id or talk.id_of("item")
        if not commit.given:
            talk.tell(server.AudioCommitted(previous_item_id=talk.history.last, item_id=item_id))
            heard = Content(type="input_audio", transcript=None)
            item = Item(id=item_id, type="message", status="completed", role="user", content=(heard,))
            talk.add(item)
            talk.finish(item)
        talk.history.link(glm_id, item_id)
        if commit.seconds is None:
            self._transcripts.skip()
        else:
            self._transcripts.expect(item_id, seconds=commit.seconds)

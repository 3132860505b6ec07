"""
What was said in a call: its items, and the conversation that the model makes of them.

Source: docs.bigmodel.cn, GLM-Realtime: a memory of 2 minutes, a context of 8K tokens for sound and 32K with video;
outputs of functions name no call, so they belong to the calls in their order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.simulator.chat.conversation import Conversation, Turn
from gateway.simulator.realtime.session import Session
from gateway.simulator.tokens import count

MEMORY_SECONDS = 120.0
SOUND_TOKENS_PER_SECOND = 12.5

_CONTEXT_TOKENS = {"audio": 8 * 1024, "video_passive": 32 * 1024}
_FRAME_TOKENS = 256
_SEARCH = re.compile(r"\b(?:search|look up|news)\b|搜|查一?[下查]|新闻", re.IGNORECASE)
_NOT_NAMES = r"(?:the|a|an|my|your|our|this|that|it|me|you|us|them|and|or|to|now|all|one|some)\b"
_NAMES = re.compile(rf"\b(?:in|for|at|near)\s+(?!{_NOT_NAMES})[a-z]+(?:\s+(?:and|or)\s+(?!{_NOT_NAMES})[a-z]+)*")
_NAME = re.compile(r"\b(?!(?:in|for|at|near|and|or)\b)[a-z]+")


@dataclass(kw_only=True)
class Item:
    """
    One item. ``text`` is what the model reads: of sound, what was heard, once it was.

    ``call_id`` joins a call of a function, whose ``name`` it has, to its output; the wire knows nothing of it.
    ``seconds`` is how long its sound is. ``read`` tells whether an answer took it in; ``ignored``, that none will.
    """

    id: str
    kind: Literal["message", "function_call", "function_call_output"]
    role: str
    content: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""
    pictures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    at: float = 0.0
    name: str = ""
    call_id: str | None = None
    read: bool = False
    ignored: bool = False

    def shown(self) -> dict[str, Any]:
        """Return the item as events show it."""
        shown: dict[str, Any] = {"id": self.id, "object": "realtime.item", "type": self.kind}
        if self.kind == "message":
            return shown | {"role": self.role, "content": self.content, "status": "completed"}
        about = (
            {"name": self.name, "arguments": self.text} if self.kind == "function_call" else {"output": self.text}
        )
        return shown | about | {"status": "completed"}

    def turn(self) -> Turn:
        """Return the item as the model sees it."""
        match self.kind:
            case "function_call":
                return Turn(role="assistant", text="", calls={self.call_id or "": self.name})
            case "function_call_output":
                return Turn(role="tool", text=self.text, call_id=self.call_id)
        text = with_names(self.text) if self.seconds else self.text
        return Turn(role=self.role, text=text, pictures=self.pictures)

    @property
    def tokens(self) -> int:
        """What it costs to have it in mind."""
        sound = int(self.seconds * SOUND_TOKENS_PER_SECOND)
        return count(self.text) + sound + len(self.pictures) * _FRAME_TOKENS


class Memory:
    """The items of a call in their order, by id."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self._known_instructions: str | None = None

    @property
    def latest(self) -> Item | None:
        """What came last; None before anything did."""
        return next(reversed(self.items.values()), None)

    def learn(self, instructions: str) -> None:
        """Take these instructions for known, as nothing that has to be answered."""
        self._known_instructions = instructions

    @property
    def has_learned(self) -> bool:
        """Whether there ever were instructions."""
        return self._known_instructions is not None

    def add(self, item: Item) -> None:
        """Put an item at the end; an output goes to the first call that has none."""
        if item.kind == "function_call_output":
            answered = {one.call_id for one in self.items.values() if one.kind == "function_call_output"}
            calls = (one.call_id for one in self.items.values() if one.kind == "function_call")
            item.call_id = next((call_id for call_id in calls if call_id not in answered), None)
        self.items[item.id] = item

    def forget(self) -> None:
        """Forget everything."""
        self.items.clear()

    def take_in(self, session: Session, *, now: float) -> Conversation | None:
        """
        Return the conversation to be answered, and count it as read; None when there is nothing new in it.

        New instructions alone are answered to as if the user had said their last line.
        """
        news = [item for item in self.items.values() if not item.read and not item.ignored]
        told = session.instructions != (self._known_instructions or "")
        self.learn(session.instructions)
        turns = [item.turn() for item in self._remembered(session, now=now)]
        for item in news:
            item.read = True
        if not any(item.role in {"user", "tool"} for item in news):
            if not told:
                return None
            turns.append(Turn(role="user", text=_last_line(session.instructions)))
        return _conversation(turns, session)

    def tokens(self, session: Session, *, now: float) -> tuple[int, int]:
        """Tell what the conversation costs: tokens of text, tokens of sound."""
        items = list(self._remembered(session, now=now))
        sound = sum(int(item.seconds * SOUND_TOKENS_PER_SECOND) for item in items if item.role == "user")
        return count(session.instructions) + sum(count(item.text) for item in items if not item.seconds), sound

    def _remembered(self, session: Session, *, now: float) -> Iterator[Item]:
        room = _CONTEXT_TOKENS[session.mode] - count(session.instructions)
        kept: list[Item] = []
        for item in reversed(self.items.values()):
            if item.ignored:
                continue
            room -= item.tokens
            if kept and (room < 0 or (item.read and now - item.at > MEMORY_SECONDS)):
                break
            kept.append(item)
        return reversed(kept)


def with_names(heard: str) -> str:
    """Write names of what was heard as names: who listens writes none."""
    return _NAMES.sub(lambda found: _NAME.sub(lambda word: word[0].capitalize(), found[0]), heard)


def _conversation(turns: list[Turn], session: Session) -> Conversation:
    system = [Turn(role="system", text=session.instructions)] if session.instructions else []
    if not any(turn.role == "user" for turn in turns):
        turns.insert(0, Turn(role="user", text=""))
    question = next(turn.text for turn in reversed(turns) if turn.role == "user")
    searching = session.searches and turns[-1].role == "user" and _SEARCH.search(question) is not None
    if searching:
        turns[-1] = Turn(role="user", text=turns[-1].text)
    return Conversation(
        turns=system + turns,
        functions=session.functions,
        search={"search_query": question, "count": 1} if searching else None,
        chosen=None,
        wants_json=False,
    )


def _last_line(instructions: str) -> str:
    lines = [line.strip() for line in instructions.splitlines() if line.strip()]
    return lines[-1] if lines else ""

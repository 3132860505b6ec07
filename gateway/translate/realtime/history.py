"""The conversation as its client sees it: items in their order, by their ids. No sound and no picture is kept."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from gateway.openai.realtime.items import Content, Item

FRONT = "root"
"""What a client calls the place before the first item."""
MAX_WRITTEN = 40
NOTHING = '""'
"""An output that is empty, which GLM refuses otherwise."""
SPEAKERS: Mapping[Any, str] = {"user": "User", "assistant": "Assistant", "system": "System"}


class History:
    """Items in order. Ids are the client's or ours; ``known_as`` has GLM's name for an item, where it has one."""

    def __init__(self) -> None:
        self._order: list[str] = []
        self._items: dict[str, Item] = {}
        self._by_glm_id: dict[str, str] = {}
        self._answers: dict[str, str] = {}

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def __iter__(self) -> Iterator[Item]:
        return (self._items[item_id] for item_id in self._order)

    def get(self, item_id: str) -> Item | None:
        """Return an item, None when there is none of that id."""
        return self._items.get(item_id)

    def add(self, item: Item, *, after: str | None = None) -> str | None:
        """Put an item after another, None: at the end; return the id of the one before it, None for the first."""
        if after == FRONT:
            place = 0
        elif after is None:
            place = len(self._order)
        else:
            place = self._order.index(after) + 1
        self._order.insert(place, item.id)
        self._items[item.id] = item
        return self._order[place - 1] if place else None

    def previous(self, item_id: str) -> str | None:
        """Return the id of the item before another, None when that is the first or not there any more."""
        if item_id not in self._items:
            return None
        place = self._order.index(item_id)
        return self._order[place - 1] if place else None

    @property
    def last(self) -> str | None:
        """The id of the last item, None while there is none."""
        return self._order[-1] if self._order else None

    def ends_with(self, kind: str) -> bool:
        """Whether the last item is the user's, and has a part of this kind."""
        last = self._items.get(self._order[-1]) if self._order else None
        if last is None or last.role != "user" or last.content is UNSET:
            return False
        return any(part.type == kind for part in last.content)

    def put(self, item: Item) -> None:
        """Replace an item by a newer state of it, if it is still there."""
        if item.id in self._items:
            self._items[item.id] = item

    def remove(self, item_id: str) -> None:
        """Take an item out."""
        self._order.remove(item_id)
        del self._items[item_id]

    def link(self, glm_id: str | None, item_id: str) -> None:
        """Remember what GLM calls an item."""
        if glm_id:
            self._by_glm_id[glm_id] = item_id

    def name(self, item_id: str, glm_id: str) -> None:
        """Remember what GLM calls an item of its own."""
        self._answers[item_id] = glm_id

    def unlink(self) -> None:
        """Take it that GLM knows no item any more."""
        self._by_glm_id.clear()
        self._answers.clear()

    def linked(self, glm_id: str | None) -> str | None:
        """Return our id of what GLM calls so, None when that is not known."""
        return self._by_glm_id.get(glm_id) if glm_id else None

    def known_as(self, item_id: str) -> str | None:
        """Return what GLM calls an item, None when it does not know it."""
        told = next((glm_id for glm_id, ours in self._by_glm_id.items() if ours == item_id), None)
        return told or self._answers.get(item_id)

    def hear(self, item_id: str, transcript: str) -> None:
        """Write down what was said in a spoken item of the user's."""
        item = self._items.get(item_id)
        if item is not None and item.content is not UNSET:
            heard = tuple(
                replace(part, transcript=transcript) if part.type == "input_audio" else part
                for part in item.content
            )
            self._items[item_id] = replace(item, content=heard)


def text_of(item: Item) -> str:
    """Return all that was written or said in a message."""
    if item.content is UNSET:
        return ""
    return " ".join(filter(None, map(words, item.content)))


def words(part: Content) -> str:
    return part.text or "" if part.text is not UNSET else part.transcript or ""


def returned(name: str, output: str) -> str:
    """Return in words what a function has returned, for a GLM that knows nothing of its call."""
    return f"The call of {name} has given: {output or NOTHING}"


def in_words(history: History) -> Iterator[tuple[Item, str, str]]:
    """Give whatever can be told of a conversation in words: an item, who says it, and what."""
    names = {item.call_id: item.name for item in history if item.type == "function_call"}
    for item in history:
        if item.type == "function_call_output":
            yield item, "system", returned(names.get(item.call_id) or "a function", item.output or "")
        elif item.type == "message" and item.role is not UNSET and (text := text_of(item)):
            yield item, item.role, text


def written(history: History) -> list[str]:
    """Return the last of the conversation in writing, a line for each item that has words."""
    return [f"{SPEAKERS[role]}: {text}" for _, role, text in [*in_words(history)][-MAX_WRITTEN:]]


def notes_of(history: History) -> list[str]:
    """Return what was written to the model by nobody who speaks."""
    return [text_of(item) for item in history if item.role == "system" and text_of(item)]

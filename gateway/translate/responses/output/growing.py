"""What every item has while it grows, and how its pieces are told."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from gateway.openai.responses import content, events, items

encode = msgspec.json.Encoder().encode

Count = Callable[[], int]
Events = list[events.Event | bytes]
"""Events, and those of them that are written already."""

Place = dict[str, Any]
"""The fields that say where in the output an event belongs."""


class Growing(Protocol):
    """An item that has begun; every method returns the events that tell of it."""

    @property
    def item(self) -> items.OutputItem:
        """The item as it is now."""

    def begin(self) -> Events:
        """Announce the item."""

    def end(self, status: content.Status) -> Events:
        """End the item, in this status."""


class Pieces:
    """
    The events that each tell a piece of one text, of which all but the piece and the number is written once.

    ``pattern`` is such an event with an empty ``delta`` and the number 0.
    """

    def __init__(self, pattern: events.Event) -> None:
        self.text: list[str] = []
        head, _, rest = written(pattern).partition(b'"sequence_number":0')
        middle, _, self._tail = rest.partition(b'"delta":""')
        self._head = head + b'"sequence_number":'
        self._middle = middle + b'"delta":'

    def add(self, piece: str, *, number: int) -> bytes:
        """Keep one more piece, and return the event that tells it."""
        self.text.append(piece)
        return b"%b%d%b%b%b" % (self._head, number, self._middle, encode(piece), self._tail)


def written(event: events.Event) -> bytes:
    """Return an event as it stands in the stream: its name, and its data."""
    return b"event: %b\ndata: %b\n\n" % (str(type(event).__struct_config__.tag).encode(), encode(event))

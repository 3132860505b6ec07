"""What every item has while it grows, and how its pieces are told."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from gateway.openai.responses import content, events, items

encoder = msgspec.json.Encoder()
encode, encode_into = encoder.encode, encoder.encode_into

Count = Callable[[], int]
Events = list[events.Event | bytes]
"""Events, and those of them that are written already."""

Place = dict[str, Any]
"""The fields that say where in the output an event belongs."""


class Spot(Struct, frozen=True, kw_only=True):
    """Where an item stands: its id, and its index in the output; ``count`` numbers the events that tell of it."""

    id: str
    index: int
    count: Count

    @property
    def place(self) -> Place:
        """What an event about the item says of where it belongs."""
        return {"item_id": self.id, "output_index": self.index}


class GrowingItem(ABC):
    """An item that has begun; every method returns the events that tell of it."""

    def __init__(self, spot: Spot) -> None:
        self._spot = spot
        self._count = spot.count
        self._status: content.Status = "in_progress"

    @property
    @abstractmethod
    def item(self) -> items.OutputItem:
        """The item as it is now."""

    def begin(self) -> Events:
        """Announce the item."""
        index = self._spot.index
        added = events.OutputItemAdded(sequence_number=self._count(), output_index=index, item=self.item)
        return [added, *self._opening()]

    def end(self, status: content.Status) -> Events:
        """End the item, in this status."""
        self._status = status
        ending = self._ending()
        index = self._spot.index
        done = events.OutputItemDone(sequence_number=self._count(), output_index=index, item=self.item)
        return [*ending, done]

    def _opening(self) -> Events:
        """Announce what there is in the item from its beginning."""
        return []

    @abstractmethod
    def _ending(self) -> Events:
        """Tell what is in the item, now that it is whole."""


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
        out = bytearray()
        self.add_to(out, piece, number=number)
        return bytes(out)

    def add_to(self, out: bytearray, piece: str, *, number: int) -> None:
        """Keep one more piece, and append the event that tells it, as comes with every token."""
        self.text.append(piece)
        out += self._head
        encode_into(number, out, -1)
        out += self._middle
        encode_into(piece, out, -1)
        out += self._tail


def written(event: events.Event) -> bytes:
    """Return an event as it stands in the stream: its name, and its data."""
    return b"event: %b\ndata: %b\n\n" % (str(type(event).__struct_config__.tag).encode(), encode(event))

"""What every item has while it grows."""

from collections.abc import Callable
from typing import Any, Protocol

from gateway.openai.responses import content, events, items

Count = Callable[[], int]
Events = list[events.Event]
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

"""Calls of functions, custom tools and Zhipu's search, while they grow."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from gateway.openai.responses import content, events, items
from gateway.translate.responses.output.growing import Count, Events, Pieces, Place
from gateway.translate.responses.tools import Named


class GrowingCall:
    """A call of a function."""

    def __init__(self, named: Named, *, call_id: str, id: str, index: int, count: Count) -> None:  # noqa: A002
        self._named = named
        self._call_id = call_id
        self._id = id
        self._index = index
        self._count = count
        self._pieces = Pieces(events.ArgumentsDelta(sequence_number=0, item_id=id, output_index=index, delta=""))
        self._status: content.Status = "in_progress"

    @property
    def item(self) -> items.FunctionCallItem:
        """The item as it is now."""
        return items.FunctionCallItem(
            id=self._id,
            call_id=self._call_id,
            name=self._named.name,
            namespace=namespace_of(self._named),
            arguments="".join(self._pieces.text),
            status=self._status,
        )

    def begin(self) -> Events:
        """Announce the item."""
        return [events.OutputItemAdded(sequence_number=self._count(), output_index=self._index, item=self.item)]

    def pass_arguments(self, fragment: str) -> Events:
        """Tell more of the arguments."""
        return [self._pieces.add(fragment, number=self._count())]

    def end(self, status: content.Status) -> Events:
        """End the item, in this status."""
        self._status = status
        item = self.item
        return [
            events.ArgumentsDone(
                sequence_number=self._count(),
                item_id=self._id,
                output_index=self._index,
                name=item.name,
                arguments=item.arguments,
            ),
            events.OutputItemDone(sequence_number=self._count(), output_index=self._index, item=item),
        ]


class GrowingCustomCall:
    """A call of a custom tool, whose input is known once it is whole."""

    def __init__(self, named: Named, *, call_id: str, id: str, index: int, count: Count) -> None:  # noqa: A002
        self._named = named
        self._call_id = call_id
        self._id = id
        self._index = index
        self._count = count
        self._input = ""
        self._status: content.Status = "in_progress"

    @property
    def item(self) -> items.CustomCallItem:
        """The item as it is now."""
        return items.CustomCallItem(
            id=self._id,
            call_id=self._call_id,
            name=self._named.name,
            namespace=namespace_of(self._named),
            input=self._input,
            status=self._status,
        )

    def begin(self) -> Events:
        """Announce the item."""
        return [events.OutputItemAdded(sequence_number=self._count(), output_index=self._index, item=self.item)]

    def pass_input(self, text: str) -> Events:
        """Tell the input."""
        self._input += text
        return [events.CustomInputDelta(sequence_number=self._count(), delta=text, **self._place())]

    def end(self, status: content.Status) -> Events:
        """End the item, in this status."""
        self._status = status
        return [
            events.CustomInputDone(sequence_number=self._count(), input=self._input, **self._place()),
            events.OutputItemDone(sequence_number=self._count(), output_index=self._index, item=self.item),
        ]

    def _place(self) -> Place:
        return {"item_id": self._id, "output_index": self._index}


class DoneSearch:
    """A search, which has been made by the time that anything is known of it."""

    def __init__(self, links: Sequence[str] | None, *, id: str, index: int, count: Count) -> None:  # noqa: A002
        sources: list[items.SearchSource] | UnsetType = UNSET
        if links is not None:
            sources = [items.SearchSource(url=link) for link in links]
        self._action = items.SearchAction(sources=sources)
        self._id = id
        self._index = index
        self._count = count
        self._status: content.Status = "in_progress"

    @property
    def item(self) -> items.WebSearchItem:
        """The item as it is now."""
        return items.WebSearchItem(id=self._id, action=self._action, status=self._status)

    def begin(self) -> Events:
        """Announce the item."""
        place: Place = {"item_id": self._id, "output_index": self._index}
        return [
            events.OutputItemAdded(sequence_number=self._count(), output_index=self._index, item=self.item),
            events.WebSearchInProgress(sequence_number=self._count(), **place),
            events.WebSearchSearching(sequence_number=self._count(), **place),
        ]

    def end(self, status: content.Status) -> Events:
        """End the item, in this status."""
        self._status = status
        place: Place = {"item_id": self._id, "output_index": self._index}
        return [
            events.WebSearchCompleted(sequence_number=self._count(), **place),
            events.OutputItemDone(sequence_number=self._count(), output_index=self._index, item=self.item),
        ]


def namespace_of(named: Named) -> str | UnsetType:
    return named.namespace if named.namespace is not None else UNSET

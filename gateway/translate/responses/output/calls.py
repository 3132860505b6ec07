"""Calls of functions, custom tools and Zhipu's search, while they grow."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from gateway.openai.responses import events, items
from gateway.translate.responses.output.growing import Events, GrowingItem, Pieces, Spot
from gateway.translate.responses.tools import Named


class GrowingToolCall(GrowingItem):
    """A call of one of the caller's tools, by the caller's name for it."""

    def __init__(self, named: Named, *, call_id: str, spot: Spot) -> None:
        super().__init__(spot)
        self._name = named.name
        self._namespace: str | UnsetType = named.namespace if named.namespace is not None else UNSET
        self._call_id = call_id


class GrowingCall(GrowingToolCall):
    """A call of a function."""

    def __init__(self, named: Named, *, call_id: str, spot: Spot) -> None:
        super().__init__(named, call_id=call_id, spot=spot)
        self._pieces = Pieces(events.ArgumentsDelta(sequence_number=0, delta="", **spot.place))

    @property
    def item(self) -> items.FunctionCallItem:
        """The item as it is now."""
        return items.FunctionCallItem(
            id=self._spot.id,
            call_id=self._call_id,
            name=self._name,
            namespace=self._namespace,
            arguments="".join(self._pieces.text),
            status=self._status,
        )

    def pass_arguments(self, fragment: str) -> Events:
        """Tell more of the arguments."""
        return [self._pieces.add(fragment, number=self._count())]

    def _ending(self) -> Events:
        arguments = "".join(self._pieces.text)
        return [
            events.ArgumentsDone(
                sequence_number=self._count(), name=self._name, arguments=arguments, **self._spot.place
            )
        ]


class GrowingCustomCall(GrowingToolCall):
    """A call of a custom tool, whose input is known once it is whole."""

    def __init__(self, named: Named, *, call_id: str, spot: Spot) -> None:
        super().__init__(named, call_id=call_id, spot=spot)
        self._input = ""

    @property
    def item(self) -> items.CustomCallItem:
        """The item as it is now."""
        return items.CustomCallItem(
            id=self._spot.id,
            call_id=self._call_id,
            name=self._name,
            namespace=self._namespace,
            input=self._input,
            status=self._status,
        )

    def pass_input(self, text: str) -> Events:
        """Tell the input."""
        self._input += text
        return [events.CustomInputDelta(sequence_number=self._count(), delta=text, **self._spot.place)]

    def _ending(self) -> Events:
        return [events.CustomInputDone(sequence_number=self._count(), input=self._input, **self._spot.place)]


class DoneSearch(GrowingItem):
    """A search, which has been made by the time that anything is known of it."""

    def __init__(self, links: Sequence[str] | None, *, spot: Spot) -> None:
        super().__init__(spot)
        sources: list[items.SearchSource] | UnsetType = UNSET
        if links is not None:
            sources = [items.SearchSource(url=link) for link in links]
        self._action = items.SearchAction(sources=sources)

    @property
    def item(self) -> items.WebSearchItem:
        """The item as it is now."""
        return items.WebSearchItem(id=self._spot.id, action=self._action, status=self._status)

    def _opening(self) -> Events:
        return [
            events.WebSearchInProgress(sequence_number=self._count(), **self._spot.place),
            events.WebSearchSearching(sequence_number=self._count(), **self._spot.place),
        ]

    def _ending(self) -> Events:
        return [events.WebSearchCompleted(sequence_number=self._count(), **self._spot.place)]

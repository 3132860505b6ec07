"""Reading items and tools one by one, each by the kind that it says it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw

from gateway.errors import InvalidRequest
from gateway.openai.responses import items, tools
from gateway.translate.complaints import invalid_field

KindT = TypeVar("KindT")

MAX_KIND_CHARACTERS = 64


class Kind(Generic[KindT]):
    """One kind of thing; made once, since a decoder costs more than a request."""

    def __init__(self, kind: type[KindT]) -> None:
        self._kind = kind
        self._decode = msgspec.json.Decoder(kind).decode

    def read(self, raw: Raw, *, param: str) -> KindT:
        """Return what ``raw`` says; raise InvalidRequest that names the field of ``param`` at fault."""
        try:
            return self._decode(raw)
        except msgspec.ValidationError as error:
            raise inside(param, invalid_field(str(error), kind=self._kind)) from error


def inside(param: str, error: InvalidRequest) -> InvalidRequest:
    """Return an error about a field as one about that field of ``param``."""
    if error.param is None:
        place = param
        message = error.message.replace("of the body", f"for '{param}'")
    else:
        place = f"{param}{error.param}" if error.param.startswith("[") else f"{param}.{error.param}"
        message = error.message.replace(f"'{error.param}'", f"'{place}'", 1)
    return InvalidRequest(message, param=place, code=error.code)


ITEM_HEAD = Kind(items.ItemHead)
TOOL_HEAD = Kind(tools.ToolHead)

ITEMS: Mapping[str, Kind[Any]] = {
    "message": Kind(items.InputMessage),
    "reasoning": Kind(items.PastReasoning),
    "function_call": Kind(items.PastFunctionCall),
    "function_call_output": Kind(items.CallResult),
    "custom_tool_call": Kind(items.PastCustomCall),
    "custom_tool_call_output": Kind(items.CallResult),
    "item_reference": Kind(items.Reference),
    "web_search_call": Kind(items.PastSearch),
}


def read_items(raws: Sequence[Raw], *, place: str = "input") -> list[items.Item]:
    """Return the items; raise InvalidRequest naming the one that is wrong, or of a kind that GLM has not."""
    return [read_item(raw, param=f"{place}[{index}]") for index, raw in enumerate(raws)]


def read_item(raw: Raw, *, param: str) -> items.Item:
    head = ITEM_HEAD.read(raw, param=param)
    name = head.type or ("message" if head.role is not None or head.id is None else "item_reference")
    kind = ITEMS.get(name)
    if kind is None:
        known = ", ".join(f"'{one}'" for one in ITEMS)
        raise InvalidRequest(
            f"GLM has no counterpart for items of type '{name[:MAX_KIND_CHARACTERS]}'. Supported are {known}.",
            param=f"{param}.type",
            code="unsupported_value",
        )
    item: items.Item = kind.read(raw, param=param)
    return item

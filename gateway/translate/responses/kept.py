"""
Responses that are kept: how they are written down, and how their items are found again.

The id of an item says whose it is and where it stands: ``msg_<id>_2`` is in the output of ``resp_<id>``,
``msg_<id>_i2`` in what that response was made from.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.errors import GatewayError, InvalidRequest, ResponseNotFound
from gateway.openai.responses.answers import ResponseItemList, ResponseStatus
from gateway.translate.responses.frame import error_of

MAX_ID_CHARACTERS = 80
RESPONSE_ID = re.compile(r"resp_[0-9A-Za-z]+")
ITEM_ID = re.compile(r"[a-z]+_([0-9A-Za-z]+)_(i?)([0-9]{1,6})")
PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "web_search_call": "ws",
}
LEFT_OUT: Mapping[str, Mapping[str, Any]] = {
    "input_image": {"detail": "auto"},
    "output_text": {"annotations": [], "logprobs": []},
    "reasoning": {"summary": []},
}
"""What callers may leave out of items and their parts, and is told of them nevertheless."""
PARTS: Mapping[tuple[str, str], str] = {
    ("message", "content"): "input_text",
    ("reasoning", "summary"): "summary_text",
    ("reasoning", "content"): "reasoning_text",
    ("function_call_output", "output"): "input_text",
    ("custom_tool_call_output", "output"): "input_text",
}
"""The fields of items that were read as lists of parts, and the type of a part that does not say its own."""


class Kept(Struct, frozen=True, kw_only=True):
    """A response as its caller saw it, and the items that it was made from, oldest first, as they came."""

    response: Raw
    context: list[Raw]


class Glimpse(Struct, frozen=True, kw_only=True):
    """What is read of a kept response."""

    id: str
    status: ResponseStatus
    output: list[Raw] = []
    background: bool = False


decode = msgspec.json.Decoder(Kept).decode
glimpse = msgspec.json.Decoder(Glimpse).decode
decode_any = msgspec.json.Decoder(dict[str, Any]).decode
encode = msgspec.json.Encoder().encode


def said_by_user(text: str) -> Raw:
    """Return the item that a plain text is short for."""
    part = {"type": "input_text", "text": text}
    return Raw(encode({"type": "message", "role": "user", "content": [part]}))


def write(kept: Kept) -> str:
    """Return the text to keep."""
    return encode(kept).decode()


def read(text: str) -> Kept:
    """Return what was kept."""
    return decode(text)


def glimpse_of(kept: Kept) -> Glimpse:
    """Return what is read of a kept response."""
    return glimpse(kept.response)


def ended(kept: Kept, *, error: GatewayError | None) -> Kept:
    """Return a response as one that failed, or without an error as one that was cancelled."""
    response = decode_any(kept.response)
    response["status"] = "cancelled" if error is None else "failed"
    response["error"] = None if error is None else error_of(error)
    return Kept(response=Raw(encode(response)), context=kept.context)


def response_id(item_id: str) -> str | None:
    """Return the id of the response that an item is of; None for an item that is not of our making."""
    found = ITEM_ID.fullmatch(item_id)
    return f"resp_{found[1]}" if found is not None else None


def conversation_of(response: str, known: Mapping[str, str], *, param: str) -> list[Raw]:
    """
    Return the items of an earlier response's conversation, with what it answered.

    Raises ResponseNotFound when it is not known to this caller, InvalidRequest when it is not done.
    """
    text = known.get(response) if RESPONSE_ID.fullmatch(response) else None
    if text is None:
        raise not_found(response, param=param)
    kept = read(text)
    seen = glimpse(kept.response)
    if seen.status in ("queued", "in_progress"):
        raise InvalidRequest(
            "The earlier response is still being made. Wait until its 'status' says that it is done.",
            param=param,
            code="response_not_done",
        )
    return [*kept.context, *seen.output]


def item_of(item_id: str, known: Mapping[str, str], *, param: str) -> Raw:
    """Return an item of an earlier response by its id; raise ResponseNotFound when it is not known."""
    owner = response_id(item_id)
    text = known.get(owner) if owner is not None else None
    found = ITEM_ID.fullmatch(item_id)
    if text is None or found is None:
        raise not_found(item_id, param=param)
    kept = read(text)
    items = listed(kept) if found[2] else glimpse(kept.response).output
    index = int(found[3])
    if index >= len(items):
        raise not_found(item_id, param=param)
    return items[index]


def listed(kept: Kept) -> list[Raw]:
    """
    Return the items that a response was made from, in full form: each with an id, type and status.

    An id that its caller gave to several is the first's alone, as a page begins where an id says.
    """
    own = glimpse(kept.response).id.removeprefix("resp_")
    taken: set[str] = set()
    return [in_full(raw, own=own, index=index, taken=taken) for index, raw in enumerate(kept.context)]


def in_full(raw: Raw, *, own: str, index: int, taken: set[str]) -> Raw:
    given = decode_any(raw)
    kind = given.get("type") or "message"
    own_id = f"{PREFIXES.get(kind, 'item')}_{own}_i{index}"
    item = {"id": own_id, "status": "completed"} | with_left_out(given, kind)
    if item["id"] in taken:
        item["id"] = own_id
    taken.add(item["id"])
    if kind == "message" and isinstance(item.get("content"), str):
        part = "output_text" if item.get("role") == "assistant" else "input_text"
        item["content"] = [{"type": part, "text": item["content"]}]
    for (owner, name), part_kind in PARTS.items():
        if kind == owner and isinstance(item.get(name), list):
            item[name] = [with_left_out(part, part.get("type", part_kind)) for part in item[name]]
    return Raw(encode(item))


def with_left_out(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return an item or part with its type and what was left out; null counts as left out."""
    named = {name: value for name, value in given.items() if value is not None}
    return {"type": kind, **LEFT_OUT.get(kind, {}), **named}


def page(items: Sequence[Raw], *, order: str, after: str | None, limit: int) -> ResponseItemList:
    """Return the items that follow ``after`` in this order (``asc`` or ``desc``); all of them when it is None."""
    rows = [(decode_any(raw)["id"], raw) for raw in items]
    if order == "desc":
        rows.reverse()
    if after is not None:
        ids = [one for one, _ in rows]
        if after not in ids:
            raise InvalidRequest("'after' names no item of this response.", param="after", code="invalid_value")
        rows = rows[ids.index(after) + 1 :]
    shown = rows[:limit]
    return ResponseItemList(
        data=[raw for _, raw in shown],
        first_id=shown[0][0] if shown else None,
        last_id=shown[-1][0] if shown else None,
        has_more=len(rows) > limit,
    )


def not_found(wanted: str, *, param: str | None = None) -> ResponseNotFound:
    """Return the error for an id under which nothing is kept, or nothing of this caller's."""
    return ResponseNotFound(
        f"Nothing is kept under the id '{wanted[:MAX_ID_CHARACTERS]}'. Responses are kept for a while, unless "
        "'store' is false or they are very large; what has gone has to be sent again.",
        param=param,
    )

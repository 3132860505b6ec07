"""
Items that clients put into a conversation, checked.

Source: docs.bigmodel.cn, GLM-Realtime, conversation.item.create: an empty text or an empty output is an error; the
vendor's SDK for what it sends besides, an empty id among it.
"""

from collections.abc import Callable, Container, Mapping
from typing import Any

from gateway.simulator.realtime.memory import Item
from gateway.simulator.realtime.trouble import Trouble

_PARTS = {"user": {"input_text"}, "system": {"input_text"}, "assistant": {"text"}}


def read_item(fields: Mapping[str, Any], *, taken: Container[str]) -> Item:
    """Return an item, its id empty if the client chose none; raise Trouble. ``taken`` are the ids there are."""
    if fields.get("object") not in {None, "realtime.item"}:
        raise Trouble("item.object: realtime.item")
    item_id = fields.get("id") or ""
    if not isinstance(item_id, str) or item_id in taken:
        raise Trouble("item.id: a text that no other item has")
    kind = fields.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise Trouble("item.type: message or function_call_output")
    return _KINDS[kind](item_id, fields)


def _message(item_id: str, fields: Mapping[str, Any]) -> Item:
    role, parts = fields.get("role"), fields.get("content")
    if not isinstance(role, str) or role not in _PARTS:
        raise Trouble("item.role: user, assistant or system")
    if not isinstance(parts, list) or not parts:
        raise Trouble("item.content: what is said")
    texts = []
    for part in parts:
        if not isinstance(part, dict) or part.get("type") not in _PARTS[role]:
            raise Trouble(f"item.content.type: {' or '.join(_PARTS[role])}")
        if not isinstance(part.get("text"), str) or not part["text"].strip():
            raise Trouble("item.content.text: it is empty")
        texts.append(part["text"])
    return Item(id=item_id, kind="message", role=role, content=parts, text="\n".join(texts))


def _output(item_id: str, fields: Mapping[str, Any]) -> Item:
    output = fields.get("output")
    if not isinstance(output, str) or not output:
        raise Trouble("item.output: it is empty")
    return Item(id=item_id, kind="function_call_output", role="tool", text=output)


_KINDS: Mapping[str, Callable[[str, Mapping[str, Any]], Item]] = {
    "message": _message,
    "function_call_output": _output,
}

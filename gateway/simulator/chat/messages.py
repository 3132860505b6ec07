"""What messages may hold, and what their parts may: by role, by family of model. Refuses, and says where."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from gateway.simulator.chat.media import check_audio, check_image_url, check_url
from gateway.simulator.models import ChatModel
from gateway.simulator.refusals import ROLE, Refusal

_ROLES = {"system", "user", "assistant", "tool"}
_CALL_TYPES = {"function", "web_search", "retrieval"}
_DOCUMENT_PARTS = {"file_url", "file"}
_SEEN_PARTS = {"image_url", "video_url"}
_MOST_DOCUMENTS = 50


def check_messages(name: str, messages: Any, model: ChatModel) -> None:
    """Refuse messages the platform would refuse; there has to be one of a user."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise Refusal("1214", name)
    if any(message.get("role") not in _ROLES for message in messages):
        raise Refusal("1214", wording=ROLE)
    if not any(message["role"] == "user" for message in messages):
        raise Refusal("1214", name)
    for index, message in enumerate(messages):
        _check_message(f"{name}[{index}]", message, model)
    _check_counts(messages, model)


def _check_message(path: str, message: dict[str, Any], model: ChatModel) -> None:
    role, content = message["role"], message.get("content")
    if role == "assistant":
        _check_calls(f"{path}.tool_calls", message.get("tool_calls"))
        # A spoken turn is named by the id of its audio and has no text; a turn of calls may have none.
        if content is None and (message.get("tool_calls") or message.get("audio")):
            return
    if content is None or (content == "" and role == "user"):
        raise Refusal("1213", "prompt")
    if isinstance(content, list) and model.family != "text":
        _check_parts(f"{path}.content", content, model)
    elif not isinstance(content, str):
        raise Refusal("1214", f"{path}.content")


def _check_calls(path: str, calls: Any) -> None:
    if calls is None:
        return
    if not isinstance(calls, list):
        raise Refusal("1214", path)
    for index, call in enumerate(calls):
        if not isinstance(call, dict) or call.get("type") not in _CALL_TYPES:
            raise Refusal("1214", f"{path}[{index}].type")
        function = call.get("function")
        if call["type"] == "function" and not (
            isinstance(function, dict)
            and isinstance(function.get("name"), str)
            and isinstance(function.get("arguments"), str)
        ):
            raise Refusal("1214", f"{path}[{index}].function")


def _check_parts(path: str, parts: list[Any], model: ChatModel) -> None:
    if not parts:
        raise Refusal("1213", "prompt")
    kinds = set()
    for index, part in enumerate(parts):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _kinds(model):
            raise Refusal("1214", f"{path}[{index}].type")
        _PARTS[kind](f"{path}[{index}]", part, model)
        kinds.add(kind)
    if kinds & _DOCUMENT_PARTS and kinds & _SEEN_PARTS:
        raise Refusal("1215", min(kinds & _DOCUMENT_PARTS), min(kinds & _SEEN_PARTS))


def _kinds(model: ChatModel) -> set[str]:
    if model.family == "voice":
        return {"text", "input_audio"}
    return {"text"} | _SEEN_PARTS | (_DOCUMENT_PARTS if model.documents else set())


def _inside(path: str, part: dict[str, Any], *keys: str) -> list[Any]:
    """Return the values of exactly these keys; the platform allows no others inside parts."""
    kind = part["type"]
    inner = part.get(kind)
    if part.keys() != {"type", kind} or not isinstance(inner, dict) or inner.keys() != set(keys):
        raise Refusal("1214", f"{path}.{kind}")
    return [inner[key] for key in keys]


def _check_text(path: str, part: dict[str, Any], _model: ChatModel) -> None:
    if part.keys() != {"type", "text"} or not isinstance(part["text"], str):
        raise Refusal("1214", f"{path}.text")


def _check_image(path: str, part: dict[str, Any], model: ChatModel) -> None:
    (url,) = _inside(path, part, "url")
    check_image_url(f"{path}.image_url.url", url, model)


def _check_linked(path: str, part: dict[str, Any], _model: ChatModel) -> None:
    (url,) = _inside(path, part, "url")
    check_url(f"{path}.{part['type']}.url", url)


def _check_file(path: str, part: dict[str, Any], _model: ChatModel) -> None:
    file = part.get("file")
    if part.keys() != {"type", "file"} or not isinstance(file, dict):
        raise Refusal("1214", f"{path}.file")
    sources = file.keys() & {"file_id", "file_url", "file_data"}
    if len(sources) != 1 or file.keys() - sources - {"filename"}:
        raise Refusal("1214", f"{path}.file")


def _check_audio(path: str, part: dict[str, Any], _model: ChatModel) -> None:
    data, kind = _inside(path, part, "data", "format")
    check_audio(f"{path}.input_audio", data, kind=kind)


def _check_counts(messages: list[dict[str, Any]], model: ChatModel) -> None:
    contents = [message.get("content") for message in messages]
    kinds = Counter(part["type"] for content in contents if isinstance(content, list) for part in content)
    if kinds["image_url"] > model.images:
        raise Refusal("1210", f"image_url: at most {model.images}")
    if sum(kinds[kind] for kind in _DOCUMENT_PARTS) > _MOST_DOCUMENTS:
        raise Refusal("1210", f"file_url: at most {_MOST_DOCUMENTS}")


_PARTS: Mapping[str, Callable[[str, dict[str, Any], ChatModel], None]] = {
    "text": _check_text,
    "image_url": _check_image,
    "video_url": _check_linked,
    "file_url": _check_linked,
    "file": _check_file,
    "input_audio": _check_audio,
}

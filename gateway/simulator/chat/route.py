"""``POST /chat/completions`` of the stand-in: check, think, fit into the room there is, shape."""

import math
from typing import Any

import msgspec

from gateway.glm.errors import ContentFilter
from gateway.simulator.chat.checks import check_chat
from gateway.simulator.chat.conversation import Conversation, read_conversation
from gateway.simulator.chat.hearing import heard
from gateway.simulator.chat.media import decoded
from gateway.simulator.chat.mind import Thought, think
from gateway.simulator.chat.voice import heard_seconds, speak
from gateway.simulator.chat.wire import Answer, Call, Stamp, chunks, whole
from gateway.simulator.connection import EVENT_STREAM, Reply, Step
from gateway.simulator.models import CHAT_MODELS, ChatModel
from gateway.simulator.platform import Ask, Platform
from gateway.simulator.refusals import Refusal
from gateway.simulator.tokens import count, pieces

SENSITIVE_MARK = "SIMULATE_SENSITIVE"
"""A message that holds this is refused by moderation, with code 1301."""

_TURN_TOKENS = 4
_IMAGE_TOKENS = 1024
_AUDIO_TOKENS_PER_SECOND = 12.5
_CACHED_FROM_TOKENS = 500


def answer(ask: Ask) -> Reply:
    """Answer a chat request; raise Refusal for what the platform refuses."""
    fields = {name: value for name, value in ask.fields.items() if value is not None}
    model = CHAT_MODELS[fields["model"]]
    check_chat(ask.fields, model=model)
    conversation = read_conversation(fields)
    if model.family == "voice":
        conversation = heard(conversation, ask)
    _check_sensitive(conversation)
    prompt_tokens = sum(count_prompt(fields, conversation))
    if prompt_tokens > model.context_tokens:
        raise Refusal("1261")
    thought = think(conversation, fences=ask.platform.fences)
    reply = _fitted(thought, fields=fields, model=model, prompt_tokens=prompt_tokens)
    stamp = _stamp(ask, reply)
    if reply.spoken:
        said, expires_at = "".join(reply.text), stamp.audio_expires_at
        ask.platform.spoken.keep(stamp.audio_id, said, account=ask.account.name, expires_at=expires_at)
    if fields.get("stream"):
        return _streamed(reply, stamp, fields)
    return Reply.whole(msgspec.json.encode(whole(reply, stamp=stamp)))


def _check_sensitive(conversation: Conversation) -> None:
    for turn in conversation.turns:
        if SENSITIVE_MARK in turn.text:
            role = "user" if turn is conversation.last else "history"
            raise Refusal("1301", content_filter=[ContentFilter(role=role, level=1)])


def count_prompt(fields: dict[str, Any], conversation: Conversation) -> tuple[int, int]:
    """Tell how many tokens a conversation has: those of its text and sound, and those of its pictures."""
    tools = msgspec.json.encode(fields.get("tools", [])).decode()
    turns = conversation.turns
    pictures = sum(len(turn.pictures) for turn in turns)
    seconds = sum(heard_seconds(decoded(sound) or b"") for turn in turns for sound in turn.sounds)
    texts = sum(count(turn.text) + _TURN_TOKENS for turn in turns)
    described = count(tools) if "tools" in fields else 0
    return texts + described + math.ceil(seconds * _AUDIO_TOKENS_PER_SECOND), pictures * _IMAGE_TOKENS


def _thinks(fields: dict[str, Any], model: ChatModel) -> bool:
    if model.thinking == "none" or fields.get("thinking", {}).get("type") == "disabled":
        return False
    return not (model.efforts and fields.get("reasoning_effort") in {"none", "minimal"})


def _fitted(thought: Thought, *, fields: dict[str, Any], model: ChatModel, prompt_tokens: int) -> Answer:
    """Cut a thought at the stop word, then at the room left for tokens; reasoning counts too."""
    room = fields.get("max_tokens", model.default_tokens)
    reasoning = pieces(thought.reasoning) if _thinks(fields, model) else []
    text = pieces(_dressed(_before_stop(thought.text, fields.get("stop", [])), model))
    said, spoken = reasoning[:room], text[: max(0, room - len(reasoning))]
    calls, left = _fitting_calls(thought.calls, room=room - len(reasoning) - len(text))
    is_cut = left < 0
    spent = room if is_cut else room - left
    return Answer(
        reasoning=said,
        text=spoken,
        calls=calls,
        finish_reason="length" if is_cut else "tool_calls" if calls else "stop",
        prompt_tokens=prompt_tokens,
        cached_tokens=_cached_tokens(fields, prompt_tokens),
        completion_tokens=spent,
        spoken=speak(spoken) if model.family == "voice" else [],
        searches=thought.searches,
        searches_first=_searches_first(fields),
    )


def _fitting_calls(calls: list[Call], *, room: int) -> tuple[list[Call], int]:
    """Cut calls where the room ends; the room left is negative when something had to go."""
    fitting = []
    for call in calls:
        tokens = pieces(call.arguments)
        if room > 0:
            fitting.append(Call(name=call.name, arguments="".join(tokens[:room])))
        room -= len(tokens)
    return fitting, room


def _before_stop(text: str, stop: list[str]) -> str:
    return min((text.partition(word)[0] for word in stop), key=len, default=text)


def _dressed(text: str, model: ChatModel) -> str:
    # Habits of these models, as recorded: a newline first, and boxes around the answer.
    if model.id.startswith(("glm-4.5v", "glm-4.1v")):
        return f"\n<|begin_of_box|>{text}<|end_of_box|>"
    return f"\n{text}" if text and model.id.startswith("glm-4.5") else text


def _cached_tokens(fields: dict[str, Any], prompt_tokens: int) -> int:
    """Count the earlier turns of a long conversation as cached, in steps of 64 tokens."""
    earlier = prompt_tokens - count(str(fields["messages"][-1].get("content")))
    return earlier // 64 * 64 if earlier >= _CACHED_FROM_TOKENS else 0


def _searches_first(fields: dict[str, Any]) -> bool:
    searches = [tool["web_search"] for tool in fields.get("tools", []) if tool["type"] == "web_search"]
    return any(search.get("result_sequence") == "before" for search in searches)


def _stamp(ask: Ask, reply: Answer) -> Stamp:
    platform = ask.platform
    return Stamp(
        id=ask.request_id,
        created=int(platform.clock()),
        model=ask.fields["model"],
        wire=platform.wire,
        sound=platform.sound,
        audio_id=_uuid(platform),
        audio_expires_at=int(platform.clock() + platform.audio_seconds),
        call_ids=[_call_id(platform, streamed=bool(ask.fields.get("stream"))) for _ in reply.calls],
    )


def _uuid(platform: Platform) -> str:
    return "-".join(platform.ids(digits) for digits in (8, 4, 4, 4, 12))


def _call_id(platform: Platform, *, streamed: bool) -> str:
    # Recorded: a signed number in whole answers, hex digits in streams.
    return f"call_{platform.ids(24)}" if streamed else f"call_-{int(platform.ids(15), 16)}"


def _streamed(reply: Answer, stamp: Stamp, fields: dict[str, Any]) -> Reply:
    fragments = bool(fields.get("tool_stream"))
    encode = msgspec.json.Encoder().encode
    steps: list[Step] = [
        b"data: " + encode(chunk) + b"\n\n" for chunk in chunks(reply, stamp=stamp, fragments=fragments)
    ]
    return Reply(content_type=EVENT_STREAM, steps=[*steps, b"data: [DONE]\n\n"])

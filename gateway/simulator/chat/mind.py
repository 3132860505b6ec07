"""
The model behind the stand-in: small, deterministic, and really working on what it is given.

It calls the functions it is told to or a question matches, sums up their results, fills JSON schemas, reads the
headers of pictures, counts, adds, repeats, remembers names, and otherwise says what it was told.
"""

import re
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from gateway.simulator.chat.calling import calls_for
from gateway.simulator.chat.conversation import Conversation, Turn
from gateway.simulator.chat.media import decoded, is_address, read_picture
from gateway.simulator.chat.orders import asks_for_json, keys_to_use, list_to_fill
from gateway.simulator.chat.voice import heard_seconds
from gateway.simulator.chat.wire import Call
from gateway.simulator.instances import instance
from gateway.simulator.platform import Fences
from gateway.simulator.schemas import find_schemas

_CJK = re.compile(r"[\u4e00-\u9fff]")


class Thought(Struct, frozen=True, kw_only=True):
    """What the model would say if it had all the room it wants."""

    reasoning: str
    text: str = ""
    calls: list[Call] = []
    searches: list[dict[str, Any]] = []


def think(conversation: Conversation, *, fences: Fences) -> Thought:
    """Answer a conversation: with calls, JSON, a description, findings, or plain words."""
    for way in (_with_calls, _as_json, _from_results, _of_media, _from_search):
        thought = way(conversation, fences)
        if thought is not None:
            return thought
    question = conversation.question
    return Thought(reasoning=_musing(question, "I will answer directly."), text=_reply(conversation))


def _with_calls(conversation: Conversation, _fences: Fences) -> Thought | None:
    calls = calls_for(conversation)
    names = ", ".join(call.name for call in calls)
    musing = _musing(conversation.question, f"I should call {names}.")
    return Thought(reasoning=musing, calls=calls) if calls else None


def _as_json(conversation: Conversation, fences: Fences) -> Thought | None:
    if not (conversation.wants_json or any(_is_told_json(turn) for turn in conversation.turns)):
        return None
    question = conversation.question
    value = _value(conversation)
    fenced = fences == "always" or (fences == "sometimes" and zlib.crc32(question.encode()) % 2 == 1)
    text = f"```json\n{_json(value)}\n```" if fenced else _json(value)
    return Thought(reasoning=_musing(question, "The answer has to be JSON."), text=text)


def _is_told_json(turn: Turn) -> bool:
    return turn.role == "system" and asks_for_json(turn.text) and next(find_schemas(turn.text), None) is not None


def _value(conversation: Conversation) -> Any:
    if conversation.schema is not None:
        return instance(conversation.schema, text=conversation.question)
    key = next(filter(None, map(list_to_fill, reversed(conversation.instructions))), None)
    if key is not None and (pieces := _pieces(conversation.question)):
        return {key: pieces}
    # The latest words count, so the user's go before the system's.
    keys = next(filter(None, map(keys_to_use, reversed(conversation.instructions))), ["answer"])
    return dict.fromkeys(keys, _reply(conversation))


def _pieces(question: str) -> list[Any]:
    """Return the list that a question is, empty where it is none."""
    try:
        return msgspec.json.decode(question, type=list[Any])
    except (msgspec.DecodeError, RecursionError):
        return []


def _from_results(conversation: Conversation, _fences: Fences) -> Thought | None:
    if conversation.last.role != "tool":
        return None
    names = {call_id: name for turn in conversation.turns for call_id, name in turn.calls.items()}
    lines = [
        f"{names.get(turn.call_id or '', 'The tool')} says: {turn.text}" for turn in _results(conversation.turns)
    ]
    return Thought(reasoning=_musing(conversation.question, "The results are in."), text="\n".join(lines))


def _results(turns: list[Turn]) -> list[Turn]:
    results: list[Turn] = []
    for turn in reversed(turns):
        if turn.role != "tool":
            break
        results.insert(0, turn)
    return results


def _of_media(conversation: Conversation, _fences: Fences) -> Thought | None:
    seen = [_sight(picture) for picture in conversation.last.pictures]
    if not conversation.last.text.strip():  # what was understood counts as said
        sounds = conversation.last.sounds
        seen += [f"{heard_seconds(decoded(sound) or b''):.1f} seconds of sound" for sound in sounds]
    seen += [f"a file at {link}" for link in conversation.last.links]
    if not seen:
        return None
    question = conversation.question
    chinese = _CJK.search(question) is not None
    text = ("我收到：" if chinese else "I was sent ") + "; ".join(seen) + ("。" if chinese else ".")
    return Thought(reasoning=_musing(question, "I look at what was sent."), text=text)


def _sight(picture: str) -> str:
    if is_address(picture):
        return f"a picture at {picture}"
    header = read_picture(decoded(picture) or b"")
    return f"a {header.kind} picture, {header.width} x {header.height} pixels" if header else "a picture"


def _from_search(conversation: Conversation, _fences: Fences) -> Thought | None:
    if conversation.search is None:
        return None
    query = conversation.search.get("search_query") or conversation.question
    found = [_finding(query, number) for number in range(1, 1 + min(3, conversation.search.get("count") or 10))]
    marks = "".join(f"[{finding['refer']}]" for finding in found)
    shown = found if conversation.search.get("search_result") else []
    return Thought(
        reasoning=_musing(query, "I search the web."),
        text=f"The web says about “{query}”: {marks}",
        searches=shown,
    )


def _finding(query: str, number: int) -> dict[str, Any]:
    return {
        "icon": "https://example.com/icon.png",
        "title": f"{query} ({number})",
        "link": f"https://example.com/{number}",
        "media": "Example",
        "publish_date": "2026-01-31",
        "content": f"What page {number} says about {query}.",
        "refer": f"ref_{number}",
    }


def _reply(conversation: Conversation) -> str:
    question = conversation.question
    for pattern, answer in _REPLIES:
        match = pattern.search(question)
        if match:
            reply = answer(match, conversation)
            if reply:
                return reply
    if not question.strip():
        return "I am listening."
    return f"你说：“{question}”" if _CJK.search(question) else f"You said: “{question}”"


def _say(match: re.Match[str], _conversation: Conversation) -> str:
    return match[1].strip().strip("\"'“”.")


def _count(match: re.Match[str], _conversation: Conversation) -> str:
    first, last = int(match[1]), int(match[2])
    return " ".join(str(number) for number in range(first, min(last, first + 2000) + 1))


def _calculate(match: re.Match[str], _conversation: Conversation) -> str:
    left, right = int(match[1]), int(match[3])
    sums: dict[str, Callable[[], float]] = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "x": lambda: left * right,
        "×": lambda: left * right,
        "/": lambda: left / right if right else float("nan"),
        "÷": lambda: left / right if right else float("nan"),
    }
    return f"{left} {match[2]} {right} = {sums[match[2]]():g}"


def _repeat(_match: re.Match[str], conversation: Conversation) -> str:
    said = [turn.text for turn in conversation.turns if turn.role == "assistant" and turn.text]
    return f"I said: {said[-1]}" if said else ""


def _recall(_match: re.Match[str], conversation: Conversation) -> str:
    said = " ".join(turn.text for turn in conversation.turns[:-1] if turn.role == "user")
    names = re.findall(r"my name is (\w+)|我叫([\u4e00-\u9fff]{1,4})", said, re.IGNORECASE)
    return f"{''.join(names[-1])}" if names else ""


_REPLIES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Conversation], str]], ...] = (
    (
        re.compile(r"^\s*(?:please )?(?:say|repeat|reply with|answer with)[: ]+(.+)", re.IGNORECASE | re.DOTALL),
        _say,
    ),
    (re.compile(r"^\s*(?:请)?(?:说|重复|回答)[：: ]*(.+)", re.DOTALL), _say),
    (re.compile(r"count (?:from )?(\d{1,6}) (?:to|through) (\d{1,6})", re.IGNORECASE), _count),
    (re.compile(r"从\s*(\d{1,6})\s*数到\s*(\d{1,6})"), _count),
    (re.compile(r"(\d{1,9})\s*([-+*x×/÷])\s*(\d{1,9})"), _calculate),
    (re.compile(r"what(?:'s| is) my name|我叫什么", re.IGNORECASE), _recall),
    (re.compile(r"what did you (?:just )?say|你刚才说什么", re.IGNORECASE), _repeat),
    (
        re.compile(r"^\s*(?:hi|hello|hey)\b", re.IGNORECASE),
        lambda _match, _conversation: "Hello! How can I help you?",
    ),
    (re.compile(r"^\s*你好"), lambda _match, _conversation: "你好！我能帮你什么？"),
)


def _musing(question: str, plan: str) -> str:
    return f"The user asks: “{question[:200]}”. {plan}"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

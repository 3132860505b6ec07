"""What a text orders the model to do: call functions, answer in JSON, under which keys. Reads texts alone."""

import re

from gateway.simulator.chat.conversation import Function

_SENTENCE = re.compile(r"[^.!?。！？\n]+")
_MUST_CALL = re.compile(
    r"\bmust (?:(?!not\b|never\b)\w+ ){0,4}call(?:ed|ing)?\b|必须[^不]{0,12}调用", re.IGNORECASE
)
# An order of this kind stands through all turns, so one that is bound to an occasion is none.
_OCCASION = re.compile(r"\b(?:if|when|whenever|unless|until|before|after|first)\b|如果|先", re.IGNORECASE)
_FUNCTION = re.compile(r"\b(?:function|tool)s?\b|函数|工具", re.IGNORECASE)
_ANSWER_JSON = re.compile(
    r"\b(?:answer|respond|reply|output|return|produce)\b[^.\n]*\bJSON\b"
    r"|(?:回答|输出|返回)[^。\n]*JSON|JSON[^。\n]*(?:回答|输出|返回)",
    re.IGNORECASE,
)
_NAME = r"['\"`“‘]\w+['\"`”’]"
_NAMES = rf"{_NAME}(?:[,、\s]+(?:(?:and|or)\s+)?{_NAME})*"
_KEY = r"\b(?:keys?|fields?)\b"
_LIST = re.compile(r'\{\s*"(\w+)"\s*:\s*\[(?:\.\.\.|…)\]\s*\}')
_KEYS = re.compile(rf"{_NAMES}\s+{_KEY}|{_KEY}:?\s+(?:(?:named|called|are)\s+)?{_NAMES}", re.IGNORECASE)


def functions_to_call(text: str, *, functions: list[Function]) -> list[Function]:
    """Return the functions a text insists on: those it names, else all; none when it leaves the model free."""
    for sentence in _SENTENCE.findall(text):
        order = _MUST_CALL.search(sentence)
        if order is None or _OCCASION.search(sentence):
            continue
        rest = sentence[: order.start()] + sentence[order.end() :]
        named = [function for function in functions if _names(rest, function["name"])]
        if named or _FUNCTION.search(rest):
            return named or functions
    return []


def asks_for_json(text: str) -> bool:
    """Tell whether a text wants the answer to be JSON, not merely speaks of it."""
    return _ANSWER_JSON.search(text) is not None


def keys_to_use(text: str) -> list[str]:
    """Return the quoted names a text calls keys or fields, as in "with 'setup' and 'punchline' keys"."""
    found = _KEYS.search(text)
    return [name[1:-1] for name in re.findall(_NAME, found[0])] if found else []


def list_to_fill(text: str) -> str | None:
    """Return the key of a list that a text shows as the form of an answer, ``{"texts": [...]}``; else None."""
    found = _LIST.search(text)
    return found[1] if found else None


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None

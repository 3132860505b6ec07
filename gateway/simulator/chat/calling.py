"""Which functions the model calls and with what: those it is ordered to call, else those a question matches."""

import re

import msgspec

from gateway.simulator.chat.conversation import Conversation, Function
from gateway.simulator.chat.orders import functions_to_call
from gateway.simulator.chat.wire import Call
from gateway.simulator.instances import instance
from gateway.simulator.subjects import subjects

_WORD = re.compile(r"[A-Za-z]{3,}")
_VERBS = {
    "get",
    "set",
    "the",
    "and",
    "for",
    "find",
    "list",
    "fetch",
    "query",
    "call",
    "run",
    "with",
    "tool",
    "function",
}
_PAIRS_ZH = {"查询", "获取", "一个", "返回", "指定", "当前", "用于", "工具", "函数"}


def calls_for(conversation: Conversation) -> list[Call]:
    """Return the calls a conversation asks for; after results only those that are ordered."""
    question = conversation.question
    return [call for function in _wanted(conversation) for call in _calls(function, question)]


def _wanted(conversation: Conversation) -> list[Function]:
    ordered = _ordered(conversation)
    offered = ordered or ([] if conversation.last.role == "tool" else conversation.functions)
    return [function for function in offered if _matches(function, conversation.question)] or ordered[:1]


def _ordered(conversation: Conversation) -> list[Function]:
    functions = conversation.functions
    if conversation.chosen is not None:
        return [function for function in functions if function["name"] == conversation.chosen]
    told = (functions_to_call(text, functions=functions) for text in conversation.orders)
    return next(filter(None, told), [])


def _matches(function: Function, question: str) -> bool:
    question = question.lower()
    words = set(_WORD.findall(question))
    names = {word.lower() for word in _WORD.findall(re.sub(r"([a-z])([A-Z])", r"\1 \2", function["name"]))}
    described = {word.lower() for word in _WORD.findall(function["description"]) if len(word) > 3}
    pairs = _pairs(function["description"]) & _pairs(question)
    return bool(
        function["name"].lower() in question
        or (names - _VERBS) & words
        or len((described - _VERBS) & words) > 1
        or pairs - _PAIRS_ZH
    )


def _pairs(text: str) -> set[str]:
    runs = re.findall(r"[\u4e00-\u9fff]+", text)
    return {run[at : at + 2] for run in runs for at in range(len(run) - 1)}


def _calls(function: Function, question: str) -> list[Call]:
    """Call once for each subject when the function takes one of them, otherwise once."""
    parameters = function["parameters"]
    required = parameters.get("required", [])
    properties = parameters.get("properties", {})
    strings = [name for name in required if properties.get(name, {}).get("type") == "string"]
    several: list[str | None] = [*subjects(question)] if len(strings) == 1 else []
    values = [instance(parameters, text=question, subject=subject) for subject in several or [None]]
    return [Call(name=function["name"], arguments=msgspec.json.encode(value).decode()) for value in values]

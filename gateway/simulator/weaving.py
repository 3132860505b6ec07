"""How each fault changes a reply: waits, cuts and wrong bytes woven into its steps. No I/O, no counting."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.simulator import faults as kinds
from gateway.simulator.connection import EVENT_STREAM, Cut, Reply, Step, Wait
from gateway.simulator.faults import Fault

WordError = Callable[[str], bytes]
"""Words a business code as an error body, in the language of the request at hand."""

_DONE = b"data: [DONE]\n\n"
_FOREVER = float("inf")


def weave(reply: Reply, faults: Iterable[Fault], *, word_error: WordError) -> Reply:
    """Return the reply with all faults in it: first what is said, then where it ends, then how it is sent."""
    order = list(_CHANGES)
    for fault in sorted(faults, key=lambda fault: order.index(type(fault))):
        reply = _CHANGES[type(fault)](fault, reply, word_error)
    return reply


def _late(fault: kinds.Latency, reply: Reply, _word_error: WordError) -> Reply:
    early: list[Step] = [b""] if fault.headers else []
    return replace(reply, steps=[*early, Wait(fault.seconds), *reply.steps])


def _slow(fault: kinds.Slow, reply: Reply, _word_error: WordError) -> Reply:
    pause = Wait(fault.seconds)
    pairs = [(pause, step) if isinstance(step, bytes) else (step,) for step in reply.steps]
    return replace(reply, steps=[part for pair in pairs for part in pair])


def _unchanged(_fault: kinds.Error, reply: Reply, _word_error: WordError) -> Reply:
    return reply  # the refusal was raised in place of an answer


def _error_in_success(fault: kinds.ErrorInSuccess, _reply: Reply, word_error: WordError) -> Reply:
    return Reply.whole(word_error(fault.code))


def _error_event(fault: kinds.ErrorEvent, reply: Reply, word_error: WordError) -> Reply:
    event = b"data: " + word_error(fault.code) + b"\n\n"
    return replace(reply, steps=[*reply.steps[: fault.after_chunks], event], length_bytes=None)


def _finish(fault: kinds.Finish, reply: Reply, _word_error: WordError) -> Reply:
    if reply.content_type != EVENT_STREAM:
        return Reply.whole(_finished(reply.steps[0], fault.reason))
    *chunks, last, done = reply.steps
    ending: list[Step] = [b"data: " + _finished(last, fault.reason) + b"\n\n", done]
    return replace(reply, steps=chunks[: fault.after_chunks] + ending)


def _finished(step: Step, reason: str) -> bytes:
    payload = step if isinstance(step, bytes) else b"{}"
    body: dict[str, Any] = msgspec.json.decode(payload.removeprefix(b"data: "))
    for choice in body.get("choices", []):
        choice["finish_reason"] = reason
    return msgspec.json.encode(body)


def _cut(fault: kinds.CutConnection, reply: Reply, _word_error: WordError) -> Reply:
    return replace(reply, steps=[*_head(fault, reply), Cut()])


def _close(_fault: kinds.Close, reply: Reply, _word_error: WordError) -> Reply:
    return replace(reply, steps=[Cut()])


def _stall(fault: kinds.Stall, reply: Reply, _word_error: WordError) -> Reply:
    return replace(reply, steps=[*_head(fault, reply), Wait(_FOREVER)])


def _head(fault: kinds.CutConnection | kinds.Stall, reply: Reply) -> list[Step]:
    """Return what is still sent: the headers always, then whole chunks, then a part of the next."""
    following = reply.steps[fault.after_chunks : fault.after_chunks + 1]
    part = [step[: fault.part_bytes] for step in following if isinstance(step, bytes) and fault.part_bytes]
    return [b"", *reply.steps[: fault.after_chunks], *part]


def _no_done(fault: kinds.NoDone, reply: Reply, _word_error: WordError) -> Reply:
    steps = [step for step in reply.steps if step != _DONE]
    return replace(reply, steps=steps[: fault.after_chunks])


def _split(fault: kinds.Split, reply: Reply, _word_error: WordError) -> Reply:
    return replace(reply, steps=[part for step in reply.steps for part in _parts(step, fault.size_bytes)])


def _parts(step: Step, size_bytes: int) -> list[Step]:
    if not isinstance(step, bytes) or len(step) <= size_bytes:
        return [step]
    return [step[start : start + size_bytes] for start in range(0, len(step), size_bytes)]


def _garbage(fault: kinds.Garbage, reply: Reply, _word_error: WordError) -> Reply:
    before, after = reply.steps[: fault.after_chunks], reply.steps[fault.after_chunks :]
    return replace(reply, steps=[*before, b"data: {\xff\xfe\xc3\n\n", *after], length_bytes=None)


def _empty(_fault: kinds.Empty, reply: Reply, _word_error: WordError) -> Reply:
    return replace(reply, steps=[b""], length_bytes=0)


def _html(fault: kinds.Html, _reply: Reply, _word_error: WordError) -> Reply:
    page = f"<html><head><title>{fault.status}</title></head><body><hr>nginx</body></html>\r\n"
    return Reply.whole(page.encode(), status=fault.status, content_type="text/html")


_CHANGES: Mapping[type, Callable[[Any, Reply, WordError], Reply]] = {
    kinds.Error: _unchanged,
    kinds.ErrorInSuccess: _error_in_success,
    kinds.Empty: _empty,
    kinds.Html: _html,
    kinds.Finish: _finish,
    kinds.ErrorEvent: _error_event,
    kinds.NoDone: _no_done,
    kinds.Garbage: _garbage,
    kinds.CutConnection: _cut,
    kinds.Stall: _stall,
    kinds.Close: _close,
    kinds.Split: _split,
    kinds.Slow: _slow,
    kinds.Latency: _late,
}

"""
``/_simulator``: counters and fault scripts for tests in other processes. No part of the platform; takes no key.

``GET state`` · ``GET requests`` (bodies of the latest requests) · ``GET, POST, DELETE faults`` · ``POST reset``.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from gateway.simulator.connection import Reply, Request
from gateway.simulator.faults import Fault
from gateway.simulator.platform import Platform

PATH = "/_simulator"


def answer(request: Request, platform: Platform) -> Reply:
    """Answer a control request; 404 for an unknown one, 400 for faults that are not."""
    action = _ACTIONS.get((request.method, request.path.removeprefix(PATH)))
    if action is None:
        return _json({"error": f"no such control: {request.method} {request.path}"}, status=404)
    try:
        return _json(action(platform, request))
    except (msgspec.MsgspecError, KeyError) as error:
        return _json({"error": f"not a list of faults: {error}"}, status=400)


def _state(platform: Platform, _request: Request) -> Any:
    return platform.book.state()


def _requests(platform: Platform, _request: Request) -> Any:
    return [
        {"method": seen.method, "path": seen.path, "body": seen.body.decode("utf-8", "replace")}
        for seen in platform.book.seen
    ]


def _list_faults(platform: Platform, _request: Request) -> Any:
    return platform.script.faults()


def _add_faults(platform: Platform, request: Request) -> Any:
    platform.script.add(msgspec.json.decode(request.body, type=list[Fault]))
    return platform.script.faults()


def _clear_faults(platform: Platform, _request: Request) -> Any:
    platform.script.clear()
    return []


def _reset(platform: Platform, _request: Request) -> Any:
    platform.reset()
    return platform.book.state()


_ACTIONS: dict[tuple[str, str], Callable[[Platform, Request], Any]] = {
    ("GET", "/state"): _state,
    ("GET", "/requests"): _requests,
    ("GET", "/faults"): _list_faults,
    ("POST", "/faults"): _add_faults,
    ("DELETE", "/faults"): _clear_faults,
    ("POST", "/reset"): _reset,
}


def _json(value: Any, *, status: int = 200) -> Reply:
    return Reply.whole(msgspec.json.encode(value), status=status)

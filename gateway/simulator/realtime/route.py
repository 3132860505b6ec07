"""
``GET /realtime``: the WebSocket of a call, from its handshake on.

Source: docs.bigmodel.cn, GLM-Realtime, for the header; the vendor's demo for ``?Authorization=``, which browsers
use; users for ``?model=`` and what a wrong one is answered with.
"""

from concurrent.futures import Executor
from urllib.parse import parse_qs

import msgspec

from gateway.simulator import faults as kinds
from gateway.simulator.accounts import Account, authenticate
from gateway.simulator.connection import JSON, Receive, Request, Scope, Send
from gateway.simulator.platform import Platform
from gateway.simulator.realtime.call import Call
from gateway.simulator.realtime.line import HungUp, Line
from gateway.simulator.realtime.models import DEFAULT_MODEL, REALTIME_MODELS
from gateway.simulator.realtime.trouble import UNACCEPTABLE
from gateway.simulator.realtime.voice import Voice
from gateway.simulator.refusals import Refusal


async def serve(
    scope: Scope, receive: Receive, send: Send, *, platform: Platform, path: str, slow: Executor
) -> None:
    """Answer a handshake at ``path`` and hold the call; anywhere else there is nothing."""
    await receive()
    handshake = Request(
        method="GET",
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=b"",
    )
    platform.book.see(handshake)
    line = Line(send, platform, handshake.language)
    try:
        if handshake.path != path:
            await _answer(send, b"", status=404)
            return
        account = _authenticate(handshake, platform)
        model = parse_qs(handshake.query).get("model", [None])[0]
        if await _fail(send, line, handshake, account=account, model=model or DEFAULT_MODEL, platform=platform):
            return
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        if model is not None and model not in REALTIME_MODELS:
            await line.complain(line.word(Refusal("1234", platform.ids(32)), close_code=UNACCEPTABLE))
    except Refusal as refusal:
        body = refusal.body(handshake.language, now=platform.clock())
        await _answer(send, msgspec.json.encode(body), status=refusal.code.http_status)
    except HungUp:
        pass
    else:
        voice = Voice(platform, line, slow, count=lambda name: platform.book.room(account, model=name))
        await Call(platform, account, line, voice, handshake=handshake, model=model).run(receive)


def _authenticate(handshake: Request, platform: Platform) -> Account:
    asked = parse_qs(handshake.query).get("Authorization", [None])[0]
    authorization = handshake.headers.get("authorization") or asked
    return authenticate(authorization, accounts=platform.accounts, now=platform.clock())


async def _fail(
    send: Send, line: Line, handshake: Request, *, account: Account, model: str, platform: Platform
) -> bool:
    """Let the faults of a handshake happen; tells whether they have answered it. Raises Refusal, HungUp."""
    faults = platform.script.take(handshake, account=account.name, model=model)
    for fault in faults:
        if isinstance(fault, kinds.Error):
            raise Refusal(fault.code, *fault.subjects)
        if isinstance(fault, kinds.Html):
            page = f"<html><head><title>{fault.status}</title></head><body><hr>nginx</body></html>\r\n"
            await _answer(send, page.encode(), status=fault.status, content_type="text/html")
            return True
    await line.suffer(faults)
    return False


async def _answer(send: Send, body: bytes, *, status: int, content_type: str = JSON) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})

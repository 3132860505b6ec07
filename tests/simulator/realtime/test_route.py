"""Handshakes of calls: who may, by which key, and where."""

import time
from collections.abc import Callable

import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from gateway.simulator import DEMO_KEY, Running
from gateway.simulator.faults import Close, CutConnection, Error, ErrorEvent, Garbage, Html, Latency, Slow, Stall
from tests.simulator.realtime.phone import calling


def token(seconds: float) -> str:
    """Sign a token as the page's own sample does: ``exp`` in seconds."""
    key_id, secret = DEMO_KEY.split(".")
    claims = {"api_key": key_id, "exp": int(time.time() + seconds), "timestamp": int(time.time() * 1000)}
    return jwt.encode(claims, secret, headers={"sign_type": "SIGN"})


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
async def test_key_or_token_in_header_or_query(zhipu: Running) -> None:
    for key, query in (
        (DEMO_KEY, ""),
        (token(60), ""),
        (None, f"?Authorization={DEMO_KEY}"),
        (None, f"?Authorization=Bearer%20{DEMO_KEY}"),
    ):
        async with calling(zhipu, key=key, query=query) as phone:
            created = (await phone.until("session.created"))[-1]["session"]
            assert ("glm-realtime", "default") == (created["model"], created["voice"])


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
async def test_others_are_refused_with_a_body(zhipu: Running) -> None:
    for key, code in ((None, b"1001"), ("x", b"1002"), ("a.b", b"1000"), (token(-60), b"1003")):
        with pytest.raises(InvalidStatus) as refused:
            async with calling(zhipu, key=key):
                pass
        assert 401 == refused.value.response.status_code
        assert b'"code":"%s"' % code in (refused.value.response.body or b"")


async def test_there_are_no_calls_elsewhere(zhipu: Running) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with calling(zhipu, query="/x"):
            pass
    assert 404 == refused.value.response.status_code


async def test_model_of_the_query_has_to_exist(zhipu: Running) -> None:
    async with calling(zhipu, query="?model=glm-realtime-air") as phone:
        await phone.send("input_audio_buffer.clear")
        await phone.until("input_audio_buffer.cleared")
        assert 1 == zhipu.simulator.book.in_flight["demo", "glm-realtime-air"]  # type: ignore[index]
    async with calling(zhipu, query="?model=glm-realtime-plus") as phone:
        assert "1234" == (await phone.error())["code"]
        assert 1003 == await phone.closed()


async def test_faults_of_a_handshake(start: Callable[..., Running]) -> None:
    """It can be refused, be answered by a proxy, or break."""
    faults = [Error(code="1305", nth=1), Html(status=502, nth=2), Close(nth=3), Latency(seconds=0.01, nth=4)]
    zhipu = start(faults=faults)
    for status in (429, 502):
        with pytest.raises(InvalidStatus) as refused:
            async with calling(zhipu):
                pass
        assert status == refused.value.response.status_code
    with pytest.raises((InvalidMessage, OSError)):
        async with calling(zhipu):
            pass
    async with calling(zhipu) as phone:
        await phone.until("session.created")


async def test_faults_of_a_call(start: Callable[..., Running]) -> None:
    """An event can be answered with an error, by nonsense, by silence, or by a broken connection."""
    zhipu = start(
        faults=[
            Error(code="1234", contains="input_audio_buffer.clear"),
            Garbage(after_chunks=0, contains="one"),
            Slow(seconds=0.001, contains="two"),
            CutConnection(after_chunks=2, contains="three"),
            ErrorEvent(code="1305", contains="four"),
            Stall(after_chunks=1, contains="five"),
        ]
    )
    async with calling(zhipu) as phone:
        await phone.update()
        await phone.send("input_audio_buffer.clear")
        assert "1234" == (await phone.error())["code"]
        await phone.type("one")
        assert '{"type": "response.' == await phone.connection.recv()
        await phone.until("conversation.item.created")
        await phone.type("two")
        await phone.until("conversation.item.created")
        await phone.type("three")
        await phone.until("conversation.item.created")
        await phone.type("and more")
        await phone.until("conversation.item.created")
        with pytest.raises(ConnectionClosed):
            await phone.next()
    async with calling(zhipu) as phone:
        await phone.type("four")
        assert "1305" == (await phone.error())["code"]
        assert 1011 == await phone.closed()
    async with calling(zhipu) as phone:
        await phone.type("five")
        await phone.until("conversation.item.created")
        await phone.type("and more")
        pong = await phone.connection.ping()
        await pong
        assert "conversation.item.created" == phone.heard[-1]["type"]

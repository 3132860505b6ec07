"""Faults as a client meets them on the wire."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from gateway.glm.errors import BUSINESS_CODES
from gateway.simulator import DEMO_KEY, Running, faults

HELLO: dict[str, Any] = {"model": "glm-4.7", "messages": [{"role": "user", "content": "请说：“你好”"}]}
STREAM = HELLO | {"stream": True}
Connect = Callable[..., httpx.Client]


@pytest.fixture
def client(zhipu: Running, connect: Connect) -> httpx.Client:
    return connect(zhipu)


@pytest.fixture
def fault(zhipu: Running) -> Callable[..., None]:
    def add(kind: str, **options: Any) -> None:
        zhipu.simulator.script.add(msgspec.convert([{"kind": kind, **options}], list[faults.Fault]))

    return add


Fault = Callable[..., None]


def _events(text: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    return [json.loads(line) if line.startswith("{") else line for line in lines]


@pytest.mark.parametrize("code", BUSINESS_CODES)
def test_every_business_code_can_be_had(client: httpx.Client, fault: Fault, code: str) -> None:
    """An error fault answers with any code of the table and its HTTP status, in both languages."""
    fault("error", code=code, times=2)

    chinese = client.post("/chat/completions", json=HELLO)
    english = client.post("/chat/completions", json=HELLO, headers={"accept-language": "en-US,en"})

    assert chinese.status_code == english.status_code == BUSINESS_CODES[code].http_status
    assert chinese.json()["error"]["code"] == english.json()["error"]["code"] == code
    assert english.json()["error"]["message"].isascii()


def test_message_names_the_reset_time_when_a_quota_is_used_up(client: httpx.Client, fault: Fault) -> None:
    """1308 says when to come back, in the platform's form."""
    fault("error", code="1308")

    message = client.post("/chat/completions", json=HELLO).json()["error"]["message"]

    assert "202" in message
    assert message.endswith("重置。")


def test_success_holds_an_error_when_the_fault_is_inside_it(client: httpx.Client, fault: Fault) -> None:
    """HTTP 200 and an error body is one of the ways to fail."""
    fault("error_in_success", code="1234")

    answer = client.post("/chat/completions", json=HELLO)

    assert (answer.status_code, answer.json()["error"]["code"]) == (200, "1234")


def test_stream_ends_with_an_error_event_when_the_fault_is_in_stream(client: httpx.Client, fault: Fault) -> None:
    """After some chunks an error comes as an event, and no [DONE]."""
    fault("error_event", code="1305", after_chunks=2)

    *chunks, last = _events(client.post("/chat/completions", json=STREAM).text)

    assert len(chunks) == 2
    assert last["error"]["code"] == "1305"


@pytest.mark.parametrize("reason", ["sensitive", "network_error", "model_context_window_exceeded"])
def test_answer_ends_with_the_reason_when_it_is_no_normal_end(
    client: httpx.Client, fault: Fault, reason: str
) -> None:
    """A broken inference shows only in finish_reason, whole or streamed, with usage beside it."""
    fault("finish", reason=reason, times=2, after_chunks=1)

    whole = client.post("/chat/completions", json=HELLO).json()
    first, last, done = _events(client.post("/chat/completions", json=STREAM).text)

    assert whole["choices"][0]["finish_reason"] == reason
    assert "finish_reason" not in first["choices"][0]
    assert last["choices"][0]["finish_reason"] == reason
    assert "usage" in last
    assert done == "[DONE]"


@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "stream"])
def test_connection_breaks_without_an_end_when_it_is_cut(client: httpx.Client, fault: Fault, body: Any) -> None:
    """The headers and some bytes arrive, then the connection is gone."""
    fault("cut", after_chunks=0, part_bytes=20)

    with client.stream("POST", "/chat/completions", json=body) as answer:
        received: list[bytes] = []
        assert answer.status_code == 200
        with pytest.raises(httpx.TransportError):
            received.extend(answer.iter_raw())

    assert len(b"".join(received)) <= 20


@pytest.mark.parametrize("kind", ["cut", "stall"])
def test_headers_come_when_the_body_does_not(client: httpx.Client, fault: Fault, kind: str) -> None:
    """A cut or a stall before the first chunk is after the status."""
    fault(kind, after_chunks=0)

    with client.stream("POST", "/chat/completions", json=STREAM) as answer:
        assert answer.status_code == 200


def test_nothing_is_answered_when_the_connection_is_closed(client: httpx.Client, fault: Fault) -> None:
    """Not even a status line is sent."""
    fault("close")

    with pytest.raises(httpx.TransportError):
        client.post("/chat/completions", json=HELLO)


def test_stream_ends_without_done_when_that_is_the_fault(client: httpx.Client, fault: Fault) -> None:
    """The connection ends well, the stream does not."""
    fault("no_done")
    fault("no_done", nth=2, after_chunks=3)

    full = _events(client.post("/chat/completions", json=STREAM).text)
    short = _events(client.post("/chat/completions", json=STREAM).text)

    assert full[-1]["choices"][0]["finish_reason"] == "stop"
    assert len(short) == 3


async def test_stream_stalls_until_the_client_leaves(zhipu: Running, fault: Fault) -> None:
    """Some chunks come, then nothing for as long as one waits."""
    fault("stall", after_chunks=2)

    headers = {"authorization": f"Bearer {DEMO_KEY}"}
    async with (
        httpx.AsyncClient(base_url=zhipu.url, headers=headers, timeout=0.3) as client,
        client.stream("POST", "/chat/completions", json=STREAM) as answer,
    ):
        texts = answer.aiter_text()
        received = await anext(texts)
        while received.count("\n\n") < 2:
            received += await anext(texts)
        with pytest.raises(httpx.ReadTimeout):
            await anext(texts)

    assert len(_events(received)) == 2


@pytest.mark.parametrize("size_bytes", [1, 2, 7])
def test_bytes_are_the_same_when_they_are_split_oddly(client: httpx.Client, fault: Fault, size_bytes: int) -> None:
    """Only the writes differ: inside lines, inside characters."""
    fault("split", size_bytes=size_bytes)

    with client.stream("POST", "/chat/completions", json=STREAM) as answer:
        text = b"".join(answer.iter_raw()).decode()

    assert _events(text)[-1] == "[DONE]"
    assert "你好" in "".join(event["choices"][0]["delta"].get("content", "") for event in _events(text)[:-1])


def test_stream_holds_bytes_that_are_no_text_when_the_fault_is_garbage(client: httpx.Client, fault: Fault) -> None:
    """A line that is neither UTF-8 nor JSON stands between good ones."""
    fault("garbage", after_chunks=1)

    lines = client.post("/chat/completions", json=STREAM).content.split(b"\n\n")

    assert lines[1] == b"data: {\xff\xfe\xc3"
    assert json.loads(lines[2].removeprefix(b"data: "))


def test_body_is_empty_when_the_fault_says_so(client: httpx.Client, fault: Fault) -> None:
    """A success can be nothing at all."""
    fault("empty")

    answer = client.post("/chat/completions", json=HELLO)

    assert (answer.status_code, answer.content) == (200, b"")


def test_body_is_a_page_when_a_proxy_fails(client: httpx.Client, fault: Fault) -> None:
    """What stands in front of the platform answers in HTML."""
    fault("html")

    answer = client.post("/chat/completions", json=HELLO)

    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize("headers", [False, True], ids=["all late", "body late"])
async def test_answer_is_late_when_there_is_latency(zhipu: Running, fault: Fault, headers: bool) -> None:  # noqa: FBT001
    """Either everything waits, or the headers come and the body waits."""
    fault("latency", seconds=3600, headers=headers)

    key = {"authorization": f"Bearer {DEMO_KEY}"}
    async with httpx.AsyncClient(base_url=zhipu.url, headers=key) as client:
        sending = client.send(client.build_request("POST", "/chat/completions", json=HELLO), stream=True)
        if not headers:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(sending, timeout=0.2)
            return
        answer = await sending
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer.aread(), timeout=0.2)
        await answer.aclose()


def test_whole_stream_arrives_when_it_is_slow(client: httpx.Client, fault: Fault) -> None:
    """A pause before each chunk loses nothing."""
    fault("slow", seconds=0.001)

    assert _events(client.post("/chat/completions", json=STREAM).text)[-1] == "[DONE]"


def test_faults_work_together_when_several_hit_one_request(client: httpx.Client, fault: Fault) -> None:
    """Whatever the order of a script, what is said comes before how it is sent."""
    fault("latency", seconds=0.001, times=2)
    fault("slow", seconds=0.0001, times=2)
    fault("split", size_bytes=5, times=2)
    fault("finish", reason="sensitive", nth=1)
    fault("error", code="1305", nth=2)

    stream = _events(client.post("/chat/completions", json=STREAM).text)
    error = client.post("/chat/completions", json=STREAM)

    assert stream[-2]["choices"][0]["finish_reason"] == "sensitive"
    assert (error.status_code, error.json()["error"]["code"]) == (429, "1305")


def test_cut_happens_where_it_was_set_when_bytes_are_split_too(client: httpx.Client, fault: Fault) -> None:
    """Chunks are counted before they are cut into writes."""
    fault("split")
    fault("cut", after_chunks=1)

    received: list[bytes] = []
    with (
        client.stream("POST", "/chat/completions", json=STREAM) as answer,
        pytest.raises(httpx.TransportError),
    ):
        received.extend(answer.iter_raw())

    assert len(_events(b"".join(received).decode())) <= 1

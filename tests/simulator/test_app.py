"""From a request to its room: addresses, slots, accounts, request ids, clients that leave."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.simulator import DEMO_KEY, Account, Running
from gateway.simulator.faults import Stall
from gateway.simulator.platform import Latency

Start = Callable[..., Running]
Connect = Callable[..., httpx.Client]
Ask = Callable[..., httpx.Response]

POOR = "5e1f0000000000000000000000000009.simulatorDemoPoor"
HELLO: dict[str, Any] = {"model": "glm-4.7", "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/nothing", ""])
def test_answer_is_the_frameworks_404_when_the_path_is_unknown(zhipu: Running, path: str) -> None:
    """An address that does not exist gets no business code, and nothing of the base path."""
    answer = httpx.post(zhipu.url + path, json=HELLO)

    assert answer.status_code == 404
    assert answer.json() == {
        "timestamp": answer.json()["timestamp"],
        "status": 404,
        "error": "Not Found",
        "path": f"/v4{path}",
    }


def test_answer_is_the_frameworks_405_when_the_method_is_wrong(zhipu: Running) -> None:
    """An address that exists and is asked in another way."""
    answer = httpx.get(f"{zhipu.url}/chat/completions")

    assert (answer.status_code, answer.json()["error"]) == (405, "Method Not Allowed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"{", "1210", id="not JSON"),
        pytest.param(b"[]", "1210", id="not an object"),
        pytest.param(b'{"messages": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "1210", id="too deep to be read"),
        pytest.param(b"{}", "1213", id="no model"),
        pytest.param(b'{"model": "gpt-4o"}', "1211", id="unknown model"),
        pytest.param(b'{"model": "GLM-4.7"}', "1211", id="upper case"),
        pytest.param(b'{"model": 4}', "1211", id="model is a number"),
    ],
)
def test_request_is_refused_when_its_model_cannot_be_told(
    zhipu: Running, connect: Connect, body: bytes, code: str
) -> None:
    """Before anything else the platform wants JSON and a model it knows."""
    answer = connect(zhipu).post("/chat/completions", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_paid_model_is_refused_and_a_free_one_answers_when_there_is_no_balance(
    zhipu: Running, connect: Connect
) -> None:
    """Money is asked for paid models only, with HTTP 429 and code 1113."""
    client = connect(zhipu, POOR)
    paid = client.post("/chat/completions", json=HELLO)
    free = client.post("/chat/completions", json=HELLO | {"model": "glm-4.7-flash"})

    assert (paid.status_code, paid.json()["error"]["code"]) == (429, "1113")
    assert free.status_code == 200


def test_every_call_is_refused_when_the_account_is_out_of_order(start: Start, connect: Connect) -> None:
    """A locked account cannot even list models."""
    zhipu = start(accounts=[Account(name="locked", key=DEMO_KEY, refusal="1112")])

    answer = connect(zhipu).get("/models")

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "1112")


@pytest.mark.parametrize(("tier", "allowed"), [("V0", 2), ("V1", 3), ("V2", 5), ("V3", 8)])
def test_request_above_the_tier_is_refused_at_once(
    start: Start, connect: Connect, tier: Any, allowed: int
) -> None:
    """With the tier's number in flight the next gets 1302; other models and accounts have their own room."""
    full = Account(name="full", key=DEMO_KEY, tier=tier)
    zhipu = start(accounts=[full, Account(name="other", key="other.key")], limits={"glm-4.7": (2, 3, 5, 8)})
    zhipu.simulator.script.add([Stall(account="full", model="glm-4.7", times=allowed)])
    client = connect(zhipu, **{"accept-language": "en-US"})

    for _ in range(allowed):
        client.send(client.build_request("POST", "/chat/completions", json=HELLO), stream=True)
    refused = client.post("/chat/completions", json=HELLO)
    other_model = client.post("/chat/completions", json=HELLO | {"model": "glm-4.6"})
    other_account = connect(zhipu, "other.key").post("/chat/completions", json=HELLO)
    places = zhipu.simulator.book.state()["places"]

    assert refused.status_code == 429
    assert refused.json() == {"error": {"code": "1302", "message": "Rate limit reached for requests"}}
    assert "retry-after" not in refused.headers
    assert (other_model.status_code, other_account.status_code) == (200, 200)
    assert places[1] == {
        "account": "full",
        "model": "glm-4.7",
        "limit": allowed,
        "in_flight": allowed,
        "peak": allowed,
        "accepted": allowed,
        "refused": 1,
        "cancelled": 0,
    }


def test_slot_is_free_again_when_the_last_byte_has_been_read(start: Start, connect: Connect) -> None:
    """A caller that waits for each answer is never refused, even with a single slot."""
    zhipu = start(limits={"glm-4.7": (1, 1, 1, 1)})
    client = connect(zhipu)

    answers = [client.post("/chat/completions", json=HELLO | {"stream": n % 2 == 0}) for n in range(50)]

    assert {answer.status_code for answer in answers} == {200}
    assert zhipu.simulator.book.peak.total() == 1


class _Noticed(Counter[Any]):
    """A counter that says when it counts."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def __setitem__(self, key: Any, value: int) -> None:
        super().__setitem__(key, value)
        self.event.set()


def test_slot_is_free_again_when_the_client_leaves(start: Start, connect: Connect) -> None:
    """A stalled answer ends with its client: the slot is given back, and the departure is counted."""
    zhipu = start(limits={"glm-4.7": (1, 1, 1, 1)})
    zhipu.simulator.book.cancelled = cancelled = _Noticed()
    zhipu.simulator.script.add([Stall()])

    with connect(zhipu).stream("POST", "/chat/completions", json=HELLO):
        assert zhipu.simulator.book.in_flight == {("demo", "glm-4.7"): 1}

    assert cancelled.event.wait(timeout=10)
    assert connect(zhipu).post("/chat/completions", json=HELLO).status_code == 200
    assert cancelled == {("demo", "glm-4.7"): 1}


def test_request_id_is_the_callers_when_given_and_refused_when_repeated(ask: Ask) -> None:
    """An answer is named by the request's own id, which can be used once."""
    first = ask(request_id="request-0001")
    again = ask(request_id="request-0001")

    assert (first.json()["id"], first.json()["request_id"]) == ("request-0001", "request-0001")
    assert (again.status_code, again.json()["error"]["code"]) == (400, "1231")


def test_request_id_may_be_used_again_when_the_first_use_was_refused(ask: Ask) -> None:
    """Only an answer uses an id up."""
    refused = ask(request_id="request-0002", temperature=7)

    assert refused.status_code == 400
    assert ask(request_id="request-0002").status_code == 200


def test_error_carries_a_generated_request_id_when_the_caller_is_known(ask: Ask) -> None:
    """Refusals of a known caller can be asked about at the platform's support."""
    body = ask(temperature=7).json()

    assert body["error"]["code"] == "1214"
    assert len(body["request_id"]) == 30


def test_whole_stream_arrives_when_latency_is_set(start: Start, connect: Connect) -> None:
    """A stand-in can be slow on purpose, and loses nothing by it."""
    zhipu = start(latency=Latency(first_byte_seconds=0.01, chunk_seconds=0.0001))

    answer = connect(zhipu).post("/chat/completions", json=HELLO | {"stream": True})

    assert answer.text.endswith("data: [DONE]\n\n")

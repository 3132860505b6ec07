"""The edge: ids of requests, and one record for each exchange."""

from typing import Any

import httpx
import pytest

from gateway.errors import InvalidRequest
from gateway.routes.middleware import Edge
from tests.conftest import MakeGateway
from tests.fakes import KEY
from tests.running import Gateway


def client_of(gateway: Gateway, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(gateway.app, raise_app_exceptions=True)
    given = {"authorization": f"Bearer {KEY}"} | headers
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=given)


@pytest.mark.parametrize("given", ["abc", "a-B_c.d:e", "x" * 128])
async def test_request_id_is_the_callers_when_it_is_sane(make_gateway: MakeGateway, given: str) -> None:
    gateway = make_gateway()

    async with client_of(gateway, **{"x-request-id": given}) as client:
        answer = await client.get("/v1/models")

    assert given == answer.headers["x-request-id"] == gateway.record.request_id


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "ü", 'a"b'])
async def test_request_id_is_new_when_the_callers_is_not_fit_for_a_log(
    make_gateway: MakeGateway, given: str
) -> None:
    gateway = make_gateway()

    async with client_of(gateway) as client:
        answer = await client.get("/v1/models", headers=[(b"x-request-id", given.encode())])

    assert answer.headers["x-request-id"] == gateway.record.request_id
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(("times", "expected"), [(1, "4bf92f3577b34da6a3ce929d0e0e4736"), (2, ""), (0, "")])
async def test_trace_is_the_callers_when_it_is_said_once(
    make_gateway: MakeGateway, times: int, expected: str
) -> None:
    gateway = make_gateway()
    told = (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")

    async with client_of(gateway) as client:
        await client.get("/v1/models", headers=[told] * times)

    assert expected == gateway.record.trace_id


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/"])
async def test_probe_leaves_no_record(make_gateway: MakeGateway, path: str) -> None:
    """A log that consists of probes hides what matters."""
    gateway = make_gateway()

    async with client_of(gateway) as client:
        answer = await client.get(path)

    assert 200 == answer.status_code
    assert "x-request-id" in answer.headers
    assert [] == gateway.records


async def test_list_of_models_leaves_a_record(make_gateway: MakeGateway) -> None:
    gateway = make_gateway()

    async with client_of(gateway) as client:
        await client.get("/v1/models")

    record = gateway.record
    assert ("models", 200, "ok", "team") == (record.operation, record.status, record.outcome, record.tenant)


async def test_other_protocols_pass(make_gateway: MakeGateway) -> None:
    """Only HTTP requests are exchanges."""
    gateway = make_gateway()
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"} if not sent else {"type": "lifespan.shutdown"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await gateway.app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)

    assert ["lifespan.startup.complete", "lifespan.shutdown.complete"] == sent
    assert [] == gateway.records


async def test_refusal_of_what_is_no_request_leaves_a_record(make_gateway: MakeGateway) -> None:
    """It has no caller and no operation, but an id that is in the answer and in the log."""
    gateway = make_gateway()

    headers = dict(Edge(gateway.app, desk=gateway.desk, sockets=gateway.app).refuse(InvalidRequest("No HTTP.")))

    record = gateway.record
    assert ("none", 400, "client_error", "") == (record.operation, record.status, record.outcome, record.tenant)
    assert record.request_id.encode() == headers[b"x-request-id"]

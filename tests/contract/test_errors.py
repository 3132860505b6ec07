"""Every error, from every route, for every status, has OpenAI's body and a request id."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from gateway.glm.errors import BUSINESS_CODES
from gateway.settings.schema import Upstream
from tests.conftest import StartGateway
from tests.fakes import KEY, Zhipu
from tests.running import Gateway

REQUEST = {"model": "glm-4.7", "messages": [{"role": "user", "content": "Hello!"}]}
MAX_BODY_BYTES = 2000


@pytest.fixture
async def gateway(start_gateway: StartGateway, zhipu: Zhipu) -> Gateway:
    return await start_gateway(
        upstream_url=zhipu.url, max_body_bytes=MAX_BODY_BYTES, upstream=Upstream(max_retries=0)
    )


def told(answer: httpx.Response) -> dict[str, Any]:
    """Return the error of an answer, once it is sure that it is one in every respect."""
    assert "application/json" == answer.headers["content-type"]
    assert answer.headers["x-request-id"]
    body = answer.json()
    assert ["error"] == list(body)
    error: dict[str, Any] = body["error"]
    assert {"message", "type", "param", "code"} == error.keys()
    assert all(isinstance(error[key], str) and error[key] for key in ("message", "type"))
    assert all(error[key] is None or isinstance(error[key], str) for key in ("param", "code"))
    return error


CHAT = "/v1/chat/completions"
SECRETS = "/v1/realtime/client_secrets"
CASES = {
    "no route": ("GET", "/v1/nowhere", {}, 404, "unknown_url"),
    "no route, not even a version": ("POST", "/", {}, 405, "method_not_allowed"),
    "a route of OpenAI's that GLM has not": ("POST", "/v1/images/generations", {"json": {}}, 404, "unknown_url"),
    "invalid escapes": ("GET", "/v1/%zz%ff%00", {}, 404, "unknown_url"),
    "a very long address": ("GET", "/v1/" + "x" * 5000, {}, 404, "unknown_url"),
    "GET of a POST": ("GET", CHAT, {}, 405, "method_not_allowed"),
    "DELETE": ("DELETE", CHAT, {}, 405, "method_not_allowed"),
    "an invented method": ("PROPFIND", CHAT, {}, 405, "method_not_allowed"),
    "POST of a GET": ("POST", "/v1/models", {"json": {}}, 405, "method_not_allowed"),
    "unknown model": ("GET", "/v1/models/nothing", {}, 404, "model_not_found"),
    "unknown model to ask": ("POST", CHAT, {"json": REQUEST | {"model": "gpt-99"}}, 404, "model_not_found"),
    "no key": ("POST", CHAT, {"json": REQUEST, "headers": {"authorization": ""}}, 401, "missing_api_key"),
    "no key for the list": ("GET", "/v1/models", {"headers": {"authorization": ""}}, 401, "missing_api_key"),
    "wrong key": (
        "POST",
        CHAT,
        {"json": REQUEST, "headers": {"authorization": "Bearer x"}},
        401,
        "invalid_api_key",
    ),
    "a form": ("POST", CHAT, {"data": {"model": "glm-4.7"}}, 415, "unsupported_media_type"),
    "a form where a key is asked for": (
        "POST",
        SECRETS,
        {"data": {"model": "glm-realtime"}},
        415,
        "unsupported_media_type",
    ),
    "compressed": (
        "POST",
        CHAT,
        {"json": REQUEST, "headers": {"content-encoding": "gzip"}},
        415,
        "unsupported_media_type",
    ),
    "too long": ("POST", CHAT, {"json": REQUEST | {"user": "x" * MAX_BODY_BYTES}}, 413, "request_too_large"),
    "no body": ("POST", CHAT, {"headers": {"content-type": "application/json"}}, 400, None),
    "no JSON": ("POST", CHAT, {"content": b"{", "headers": {"content-type": "application/json"}}, 400, None),
    "no UTF-8": ("POST", CHAT, {"content": b'{"a":"\xff"}'}, 400, None),
    "no object": ("POST", CHAT, {"json": []}, 400, None),
    "a missing field": ("POST", CHAT, {"json": {"model": "glm-4.7"}}, 400, "missing_required_parameter"),
    "a refused field": ("POST", CHAT, {"json": REQUEST | {"logprobs": True}}, 400, "unsupported_parameter"),
}


@pytest.mark.parametrize(("method", "path", "options", "status", "code"), CASES.values(), ids=CASES.keys())
async def test_error_has_openais_body(
    gateway: Gateway,
    client: httpx.AsyncClient,
    *,
    method: str,
    path: str,
    options: dict[str, Any],
    status: int,
    code: str | None,
) -> None:
    answer = await client.request(method, gateway.origin + path, **options)

    error = told(answer)
    assert (status, code or error["code"]) == (answer.status_code, error["code"])
    assert (status, "client_error") == (gateway.record.status, gateway.record.outcome)
    assert gateway.record.request_id == answer.headers["x-request-id"]


@pytest.mark.parametrize("code", BUSINESS_CODES)
async def test_error_has_openais_body_when_zhipu_refuses(
    gateway: Gateway, zhipu: Zhipu, client: httpx.AsyncClient, code: str
) -> None:
    """Each of Zhipu's codes has an answer, which names it."""
    zhipu.script = [lambda call: call.refuse(code, status=BUSINESS_CODES[code].http_status)]

    answer = await client.post(gateway.origin + CHAT, json=REQUEST)

    error = told(answer)
    assert f"(GLM {code})" in error["message"]
    assert (answer.status_code, code, code) == (
        gateway.record.status,
        gateway.record.glm_code,
        gateway.record.faults[0].code,
    )


async def test_method_that_is_taken_is_named_when_another_is_used(
    gateway: Gateway, client: httpx.AsyncClient
) -> None:
    answer = await client.get(gateway.origin + CHAT)

    assert {"OPTIONS", "POST"} == set(answer.headers["allow"].split(", "))
    assert "POST" in told(answer)["message"]


async def test_address_that_is_unknown_is_answered_with_those_there_are(
    gateway: Gateway, client: httpx.AsyncClient
) -> None:
    """It helps who put a route into the base address as well as who looks for pictures or files."""
    answer = await client.post(f"{gateway.origin}{CHAT}/chat/completions", json=REQUEST)

    names = (
        told(answer)["message"].partition("Below /v1 there are ")[2].replace(" and ", ", ").rstrip(".").split(", ")
    )
    answers = [await client.put(f"{gateway.origin}/v1/{name}") for name in names]
    assert "chat/completions" in names
    assert {405} == {one.status_code for one in answers}


async def test_head_has_no_body_when_it_is_refused(gateway: Gateway, client: httpx.AsyncClient) -> None:
    answer = await client.head(gateway.origin + CHAT)

    assert (405, b"") == (answer.status_code, answer.content)
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "taken"), [(CHAT, {"OPTIONS", "POST"}), ("/v1/responses/resp_1", {"DELETE", "GET", "OPTIONS"})]
)
async def test_options_say_what_is_taken(
    gateway: Gateway, client: httpx.AsyncClient, path: str, taken: set[str]
) -> None:
    answer = await client.options(gateway.origin + path)

    assert (204, taken) == (answer.status_code, set(answer.headers["allow"].split(", ")))


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions", "/v1/chat/completions/"])
async def test_route_answers_with_and_without_its_version(
    gateway: Gateway, client: httpx.AsyncClient, path: str
) -> None:
    """People forget the ``/v1`` of the base address, or close it with a slash."""
    answer = await client.post(gateway.origin + path, json={})

    assert (400, "missing_required_parameter") == (answer.status_code, told(answer)["code"])


async def test_body_is_refused_when_its_chunks_grow_too_large(gateway: Gateway, client: httpx.AsyncClient) -> None:
    """A body without a declared length is bounded while it comes."""

    async def chunks() -> Any:
        for _ in range(MAX_BODY_BYTES // 100 + 1):
            yield b"x" * 100

    answer = await client.post(
        gateway.origin + CHAT, content=chunks(), headers={"content-type": "application/json"}
    )

    assert (413, "request_too_large") == (answer.status_code, told(answer)["code"])


@pytest.mark.parametrize("path", [CHAT, SECRETS])
async def test_nothing_is_held_when_a_declared_body_never_comes(
    gateway: Gateway, zhipu: Zhipu, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """A caller that claims more than it sends keeps a connection, and no slot; its leaving is nobody's fault."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(gateway.origin.rpartition(":")[2]))
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\ncontent-length: 100\r\n\r\n"
    writer.write(head.encode() + msgspec.json.encode(REQUEST))
    await writer.drain()

    writer.close()
    while not gateway.records:  # noqa: ASYNC110 - the gateway tells nobody but its sinks
        await asyncio.sleep(0.001)

    assert (499, "client_disconnect", "receiving") == (
        gateway.record.status,
        gateway.record.outcome,
        gateway.record.phase,
    )
    assert [] == zhipu.calls
    assert [] == [line.message for line in caplog.records if line.levelname == "ERROR"]


async def test_mistake_of_ours_shows_nothing_but_a_request_id(
    gateway: Gateway, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, broken_catalog: None
) -> None:
    del broken_catalog

    answer = await client.post(gateway.origin + CHAT, json=REQUEST)

    error = told(answer)
    assert (500, "internal_error") == (answer.status_code, error["code"])
    assert answer.headers["x-request-id"] in error["message"]
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] in caplog.text
    assert (500, "gateway_error") == (gateway.record.status, gateway.record.outcome)


@pytest.fixture
def broken_catalog(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the catalogue fail in a way that nobody has thought of."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(type(gateway.desk.terms.catalog), "resolve", fail)


async def test_server_does_not_tell_what_it_runs_on(gateway: Gateway, client: httpx.AsyncClient) -> None:
    answer = await client.get(gateway.origin + "/livez")

    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("code", "status", "headers"),
    [
        ("1302", 429, {"retry-after": "1", "retry-after-ms": "1000", "x-should-retry": "true"}),
        ("1305", 503, {"retry-after": "5", "retry-after-ms": "5000", "x-should-retry": "true"}),
        ("1113", 429, {"retry-after": "60", "retry-after-ms": "60000", "x-should-retry": "false"}),
        ("1210", 400, {}),
    ],
)
async def test_clients_are_told_whether_to_come_back(
    gateway: Gateway,
    zhipu: Zhipu,
    client: httpx.AsyncClient,
    *,
    code: str,
    status: int,
    headers: dict[str, str],
) -> None:
    """Every SDK repeats a 429 by itself; one that cannot succeed says so."""
    zhipu.script = [lambda call: call.refuse(code, status=BUSINESS_CODES[code].http_status)]

    answer = await client.post(gateway.origin + CHAT, json=REQUEST)

    names = ("retry-after", "retry-after-ms", "x-should-retry")
    assert status == answer.status_code
    assert headers == {name: answer.headers[name] for name in names if name in answer.headers}

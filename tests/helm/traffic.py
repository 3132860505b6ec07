"""Traffic of every kind, with everything that goes wrong: what dashboards are looked at with."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from gateway.simulator import DEMO_ACCOUNTS
from gateway.simulator.faults import Error, Fault, Latency, Stall
from tests.calls import GlmCalls, speak
from tests.recordings import tone, wav_of

KEY = "sk-of-a-team-0123456789"
SMALL_KEY = "sk-of-a-small-team-0123456789"

LATE_MODEL = "glm-4.6"
FAILING_MODEL = "glm-4.5"
REFUSED_MODEL = "glm-4.5-air"
STALLING_MODEL = "glm-4.5-flash"
FAULTS: Sequence[Fault] = (
    Latency(seconds=0.4, model=LATE_MODEL, times=None),
    Error(code="1234", model=FAILING_MODEL, times=None),
    Stall(model=STALLING_MODEL, times=None),
)
REFUSED = Error(code="1302", model=REFUSED_MODEL)

ENVIRONMENT = {
    "GATEWAY_KEYS": f"team:{KEY}:V3,small:{SMALL_KEY}:V0",
    "GATEWAY_LIMITS": f"{LATE_MODEL}=1/5/10/20",
    "GATEWAY_QUEUE_TIMEOUT_SECONDS": "0.6",
    "GATEWAY_UPSTREAM_MAX_RETRIES": "1",
    "GATEWAY_EMBEDDINGS_CACHE_SECONDS": "60",
    "GATEWAY_LEASE_SECONDS": "2",
    "GATEWAY_LOGS_LEVEL": "error",
}

ACCOUNTS = "\n".join(
    f'[[accounts]]\nname = "{account.name}"\napi_key_env = "KEY_{number}"\ntier = "{account.tier}"\n'
    for number, account in enumerate(DEMO_ACCOUNTS)
    if account.name in {"demo-v3", "demo-poor"}
)
ACCOUNT_KEYS = {f"KEY_{number}": account.key for number, account in enumerate(DEMO_ACCOUNTS)}
HEARD = base64.b64encode(bytes(4800)).decode()


async def chat(client: httpx.AsyncClient, *, model: str = "glm-4.7", key: str = KEY) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello!"}]}
    await client.post("/chat/completions", json=body, headers=bearer(key))


async def stream(client: httpx.AsyncClient, *, model: str = "glm-4.7", lines: int | None = None) -> None:
    """Read a stream, or so many lines of it."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "Count from 1 to 30"}],
        "stream": True,
    }
    async with client.stream("POST", "/chat/completions", json=body, headers=bearer(KEY)) as answer:
        read = 0
        async for _ in answer.aiter_lines():
            read += 1
            if read == lines:
                return


async def embed(client: httpx.AsyncClient) -> None:
    body = {"model": "embedding-3", "input": "Hello!"}
    await client.post("/embeddings", json=body, headers=bearer(KEY))


async def transcribe(client: httpx.AsyncClient) -> None:
    files = {"file": ("a.wav", wav_of(tone(sample_rate=16_000)))}
    await client.post("/audio/transcriptions", data={"model": "glm-asr"}, files=files, headers=bearer(KEY))


async def read_out(client: httpx.AsyncClient) -> None:
    body = {"model": "glm-tts", "voice": "alloy", "input": "Hello!", "response_format": "wav"}
    await client.post("/audio/speech", json=body, headers=bearer(KEY))


async def call(client: httpx.AsyncClient, *, glm: GlmCalls) -> None:
    """Say something, and hear an answer; where the machine is busy, a slot may take more than one try."""
    glm.answers.append(speak)
    url = str(client.base_url).replace("http", "ws", 1) + "realtime?model=glm-realtime"
    for patience in (0.5, 1, 2, 4, None):
        try:
            async with connect(url, additional_headers=bearer(KEY), proxy=None) as socket:
                await _speak(socket)
        except InvalidStatus:
            if patience is None:
                raise
            await asyncio.sleep(patience)
        else:
            return


async def _speak(socket: ClientConnection) -> None:
    for event in (
        {"type": "input_audio_buffer.append", "audio": HEARD},
        {"type": "input_audio_buffer.commit"},
        {"type": "response.create"},
    ):
        await socket.send(json.dumps(event))
    while json.loads(await socket.recv())["type"] != "response.done":
        pass


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def everything(client: httpx.AsyncClient, *, glm: GlmCalls) -> None:
    """Send one round of all of it."""
    async with asyncio.TaskGroup() as tasks:
        sent: list[Callable[[], Awaitable[None]]] = [
            partial(chat, client),
            partial(chat, client, key="sk-nobody"),
            partial(chat, client, model=FAILING_MODEL),
            partial(chat, client, model=REFUSED_MODEL),
            *[partial(chat, client, model=LATE_MODEL, key=SMALL_KEY)] * 3,
            partial(stream, client),
            partial(stream, client, model=STALLING_MODEL, lines=1),
            partial(embed, client),
            partial(transcribe, client),
            partial(read_out, client),
            partial(call, client, glm=glm),
        ]
        for send in sent:
            tasks.create_task(_of(send))


async def _of(send: Callable[[], Awaitable[None]]) -> None:
    await send()


async def rounds(
    origins: Sequence[str], *, glm: GlmCalls, count: int, before: Callable[[], Awaitable[None]]
) -> None:
    """Send rounds to every gateway, one after the other; ``before`` is awaited before each."""
    for _ in range(count):
        await before()
        async with asyncio.TaskGroup() as tasks:
            for origin in origins:
                tasks.create_task(_round(origin, glm=glm))


async def _round(origin: str, *, glm: GlmCalls) -> None:
    async with httpx.AsyncClient(base_url=f"{origin}/v1/", trust_env=False, verify=False, timeout=30) as client:  # noqa: S501
        await everything(client, glm=glm)

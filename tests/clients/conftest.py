"""
What every suite of Python clients shares: a picture, and the simulator's own account of what it saw.

The gateway's address and the key are in OPENAI_BASE_URL and OPENAI_API_KEY, where most clients look by themselves.
"""

import json
import os
import shutil
import struct
import urllib.request
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

QUESTION = "What is the weather in Paris and London?"


class Simulator:
    """The simulator behind the gateway, through its control address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def last_request(self) -> dict[str, Any]:
        """Give the body that the gateway sent last."""
        return json.loads(self._ask("GET", "requests")[-1]["body"])

    def add_fault(self, **fault: Any) -> None:
        """Let something go wrong; ``contains`` keeps it to the requests that hold a word."""
        self._ask("POST", "faults", json.dumps([fault]).encode())

    def clear_faults(self) -> None:
        self._ask("DELETE", "faults")

    def _ask(self, method: str, action: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self._url}/_simulator/{action}", data=body, method=method)  # noqa: S310  # ours
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # ours
            return json.load(answer)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    control = Simulator(os.environ["SIMULATOR_URL"])
    yield control
    control.clear_faults()


@pytest.fixture(scope="session")
def picture() -> bytes:
    """Give a grey PNG, 64 pixels wide and 48 high, which is what the simulator says of it."""
    header = struct.pack(">IIBBBBB", 64, 48, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * 64 for _ in range(48)))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.fixture(scope="session")
def question() -> bytes:
    """Give a question about two cities as 24 kHz PCM, between half a second and a whole one of silence."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed, so the simulator cannot speak")
    if not os.environ["SIMULATOR_HEARS"]:
        pytest.skip("pocketsphinx is not installed, so the simulator tells no words from sound")
    body = {"model": "glm-tts", "voice": "tongtong", "input": QUESTION, "response_format": "pcm"}
    request = urllib.request.Request(  # noqa: S310  # ours
        f"{os.environ['OPENAI_BASE_URL']}/audio/speech",
        data=json.dumps(body).encode(),
        headers={"authorization": f"Bearer {os.environ['OPENAI_API_KEY']}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # ours
        return bytes(24_000) + answer.read() + bytes(48_000)

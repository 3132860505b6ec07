"""The stand-in these tests talk to, which is started for them: its address is ``SIMULATOR_URL``."""

import os
from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture(scope="session")
def origin() -> str:
    """Give the address of the stand-in, such as ``http://127.0.0.1:8090``."""
    return os.environ["SIMULATOR_URL"].rstrip("/")


@pytest.fixture
def control(origin: str) -> Iterator[httpx.Client]:
    """Give a client of the stand-in's control, as new: it counts requests and takes faults."""
    with httpx.Client(base_url=f"{origin}/_simulator") as client:
        client.post("/reset").raise_for_status()
        yield client

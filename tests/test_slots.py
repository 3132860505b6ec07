"""`glm-gateway slots` shows what a running gateway tells on its metrics port."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.metrics import AccountSlots, AccountState, Slots, TenantSlots
from tests.serving import serving

SLOTS = Slots(
    tenants=(
        TenantSlots(tenant="team-b", tier="V1", model="glm-4.7", limit=5, in_use=1, in_use_globally=2),
        TenantSlots(
            tenant="[team-a]",
            tier="V3",
            model="glm-4.7",
            limit=20,
            in_use=11,
            in_use_globally=20,
            waiting=4,
            oldest_wait_seconds=2.25,
        ),
    ),
    accounts=(
        AccountSlots(account="main", model="glm-4.7", limit=20, learned_limit=18, in_use=17),
        AccountSlots(account="main", model="glm-5", limit=10, learned_limit=10, in_use=0),
    ),
    states=(
        AccountState(account="main"),
        AccountState(account="spare", healthy=False, reason="GLM 1113", aside_seconds=42),
    ),
    leases_expired=3,
    degraded=True,
)


def show(url: str, *options: str) -> Result:
    return CliRunner().invoke(main, ["slots", "--url", url, *options], catch_exceptions=False)


@contextmanager
def telling(*bodies: bytes) -> Iterator[str]:
    """Answer requests for slots with these bodies in turn, and the ones after with 503."""
    left = list(bodies)

    class Telling(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = left.pop(0) if left and self.path == "/slots" else b""
            self.send_response(200 if body else 503)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Telling) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def rows(output: str) -> list[list[str]]:
    """Split a table into its cells."""
    return [re.split(r" {2,}", line.strip()) for line in output.splitlines() if line.strip()]


def test_table_shows_tenants_accounts_and_what_is_wrong() -> None:
    """Names are shown as they are, full lines and accounts set aside stand out, idle models are left out."""
    with telling(msgspec.json.encode(SLOTS)) as url:
        result = show(url, "--once")

    assert result.exit_code == 0
    assert rows(result.output) == [
        ["The shared books cannot be reached: this gateway keeps to its own share."],
        ["3 slots came back because nobody renewed them."],
        ["Tenant", "Tier", "Model", "In use", "Everywhere", "Limit", "Waiting", "Longest wait"],
        ["[team-a]", "V3", "glm-4.7", "11", "20", "20", "4", "2.2 s"],
        ["team-b", "V1", "glm-4.7", "1", "2", "5", "0"],
        ["Account", "State", "Model", "In use", "Limit", "Learned"],
        ["main", "in use", "glm-4.7", "17", "20", "18"],
        ["spare", "aside for 42 s: GLM 1113"],
    ]


def test_table_stays_up_to_date_until_the_gateway_is_gone() -> None:
    """Without --once it asks again and again; it ends when nobody answers any more, and says so."""
    with telling(msgspec.json.encode(Slots()), msgspec.json.encode(SLOTS)) as url:
        result = show(url)

    assert result.exit_code == 1
    assert f"No gateway tells its slots at {url} (HTTPStatusError)" in result.output


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("http://127.0.0.1:1", "ConnectError", id="nobody is there"),
        pytest.param("127.0.0.1:9464", "UnsupportedProtocol", id="the scheme is missing"),
        pytest.param("http://127.0.0.1:port", "InvalidURL", id="the port is no number"),
    ],
)
def test_it_says_what_to_give_when_the_address_is_wrong_and(url: str, reason: str) -> None:
    result = show(url, "--once")

    assert result.exit_code == 1
    assert f"({reason}). Give the address of its metrics port with --url" in result.output


def test_address_may_be_that_of_the_page_for_people() -> None:
    with telling(msgspec.json.encode(SLOTS)) as url:
        assert show(f"{url}/", "--once").exit_code == 0


def test_running_gateway_tells_its_slots() -> None:
    with serving({}) as served:
        served.read_until("GLM Gateway answers on ")
        port = served.read_log_until("Metrics: port ").partition("Metrics: port ")[2].split()[0]

        result = show(f"http://127.0.0.1:{port}", "--once")

    assert "nobody holds or waits for a slot" in result.output
    assert ["simulator", "in use"] in rows(result.output)

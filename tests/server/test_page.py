"""The page for people, as a browser shows it, on the metrics' port alone."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from gateway import __version__
from gateway.cli.configuration import DEMO_KEY
from gateway.metrics import State
from gateway.server.page import PAGE
from tests.serving import Served, serving

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
EVIL = "<img/src=x/onerror=document.title=1>"


class Standing(msgspec.Struct, frozen=True):
    """Where a gateway answers callers, and where the inside."""

    public: str
    inside: str


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    with serving({"GATEWAY_LOGS_LEVEL": "info", "GATEWAY_REVISION": "4f1c0de"}) as served:
        yield ask_some(served)


def ask_some(served: Served) -> Standing:
    """Let some requests succeed and some fail, one of them with a model's name that is no name."""
    public = served.read_until("GLM Gateway answers on ").split()[-1].removesuffix("/v1")
    port = served.read_log_until("Metrics: port ").partition("Metrics: port ")[2].split()[0]
    headers = {"Authorization": f"Bearer {DEMO_KEY}"}
    with httpx.Client(base_url=public, headers=headers, trust_env=False, timeout=20) as client:
        for model in ("glm-4.7", "glm-4.7", EVIL):
            body = {"model": model, "messages": [{"role": "user", "content": "Hello!"}]}
            client.post("/v1/chat/completions", json=body)
        client.post("/v1/chat/completions", content=b"{", headers={"Authorization": "Bearer nobody's"})
    return Standing(public, f"http://127.0.0.1:{port}")


def test_page_needs_nothing_from_elsewhere(standing: Standing) -> None:
    answer = httpx.get(f"{standing.inside}/", trust_env=False)

    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert answer.content == PAGE
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(rb"(src|href)=.?(https?:)?//", PAGE)
    assert b"innerHTML" not in PAGE


@pytest.mark.parametrize("path", ["/state", "/slots", "/metrics"])
def test_public_port_does_not_tell(standing: Standing, path: str) -> None:
    assert 404 == httpx.get(f"{standing.public}{path}", trust_env=False).status_code
    assert PAGE != httpx.get(f"{standing.public}/", trust_env=False).content


def test_state_tells_what_is_under_way_and_what_went_wrong(standing: Standing) -> None:
    answer = httpx.get(f"{standing.inside}/state", trust_env=False)

    state = msgspec.json.decode(answer.content, type=State)
    assert (["simulator"], False) == ([one.account for one in state.slots.states], state.draining)
    assert {"model_not_found", "invalid_api_key"} <= {one.error_code for one in state.failures}
    assert state.started_at <= state.failures[0].last_at <= state.now
    assert DEMO_KEY.encode() not in answer.content


def test_metrics_tell_what_this_was_built_from(standing: Standing) -> None:
    answer = httpx.get(f"{standing.inside}/metrics", trust_env=False)

    assert f'glm_gateway_build_info{{revision="4f1c0de",version="{__version__}"}} 1.0' in answer.text


def test_browser_shows_it(standing: Standing, tmp_path: Path) -> None:
    """What callers and operators name things is shown as they wrote it, and never run."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium.")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=4000", "--dump-dom", f"{standing.inside}/"],
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    shown = done.stdout

    assert "<title>GLM Gateway</title>" in shown, done.stderr
    assert re.search(r'<span id="about">version [\d.]+ · runs for \d+ s', shown)
    assert '<td class="good">serves</td>' in shown
    assert "model_not_found" in shown
    assert "Content Security Policy" not in done.stderr
    assert sys.getsizeof(shown) > len(PAGE)

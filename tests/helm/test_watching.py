"""A real Prometheus watches two gateways under traffic: what dashboards show, what fires when one is killed."""

import asyncio
import json
import math
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import yaml
from msgspec import Struct

from gateway.simulator import create_simulator, running
from tests.calls import playing_calls
from tests.helm import traffic
from tests.helm.dashboards import DASHBOARDS
from tests.helm.grafana import panels
from tests.helm.prometheus import Prometheus, scraping
from tests.helm.test_rules import RULES
from tests.programs import program
from tests.redis_server import RedisServer, free_port, need_redis
from tests.serving import Served, serving

pytestmark = pytest.mark.timeout(180)

ROUNDS = 3
DRAWING_SECONDS = 45.0
QUERIES = {
    f"{dashboard.name}: {panel.title}, {number}": query.expr
    for dashboard in DASHBOARDS
    for panel in panels(dashboard)
    for number, query in enumerate(panel.queries)
}


class Watched(Struct, frozen=True, kw_only=True):
    """Gateways that have had traffic, and the Prometheus that watches them."""

    prometheus: Prometheus
    served: list[Served]
    origins: list[str]
    metrics: list[str]
    drawn: set[str]


def hurried(path: Path, folder: Path) -> Path:
    """Copy rules so that alerts fire at once, not only after they have held for a while."""
    told = yaml.safe_load(path.read_text("utf-8"))
    for group in told["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    copy = folder / path.name
    copy.write_text(yaml.safe_dump(told), "utf-8")
    return copy


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    program("prometheus")
    need_redis()
    folder = tmp_path_factory.mktemp("watched")
    configuration = folder / "gateway.toml"
    configuration.write_text(traffic.ACCOUNTS, "utf-8")
    with ExitStack() as stack:
        redis = RedisServer(folder).start()
        stack.callback(redis.kill)
        zhipu = stack.enter_context(running(create_simulator(faults=traffic.FAULTS)))
        environ = {**traffic.ENVIRONMENT, **traffic.ACCOUNT_KEYS, "GATEWAY_REDIS_URL": redis.url}
        environ["GATEWAY_UPSTREAM_URL"] = zhipu.url
        ports = [free_port(), free_port()]
        metrics = [f"127.0.0.1:{port}" for port in ports]
        prometheus = stack.enter_context(
            scraping(metrics, rules=[hurried(path, folder) for path in RULES], folder=folder)
        )

        async def play() -> tuple[list[Served], list[str]]:
            async with playing_calls() as glm:
                environ["GATEWAY_REALTIME_URL"] = glm.url
                served = [
                    stack.enter_context(
                        serving({**environ, "GATEWAY_METRICS_PORT": str(port)}, "--config", str(configuration))
                    )
                    for port in ports
                ]
                lines = [await asyncio.to_thread(one.read_until, "GLM Gateway answers on ") for one in served]
                origins = [line.split()[-1].removesuffix("/v1") for line in lines]

                async def begin() -> None:
                    # A rate is of what changes between two scrapes, so each round gets one of its own.
                    began = time.time()
                    await asyncio.to_thread(
                        prometheus.wait_for, lambda: scraped_since(prometheus, began) == len(ports), "A scrape"
                    )
                    zhipu.simulator.script.add([traffic.REFUSED])

                await traffic.rounds(origins, glm=glm, count=ROUNDS, before=begin)
                return served, origins

        served, origins = asyncio.run(play())
        drawn = lines_drawn(prometheus)
        yield Watched(prometheus=prometheus, served=served, origins=origins, metrics=metrics, drawn=drawn)


def scraped_since(prometheus: Prometheus, moment: float) -> int:
    """Return how many gateways were scraped after a moment, in Unix time."""
    return sum(at > moment for at in prometheus.values("timestamp(up == 1)"))


def as_of_now(expr: str) -> str:
    """Fill Grafana's variables in."""
    for name in ("namespace", "job", "model"):
        expr = expr.replace(f"${name}", ".*")
    return expr.replace("$__rate_interval", "1m")


def lines_drawn(prometheus: Prometheus) -> set[str]:
    """Return which lines show a number; asked at once, as rates are of the last minute; scrapes come late."""
    drawn: set[str] = set()
    deadline = time.monotonic() + DRAWING_SECONDS
    while len(drawn) < len(QUERIES) and time.monotonic() < deadline:
        for line in QUERIES.keys() - drawn:
            if any(map(math.isfinite, prometheus.values(as_of_now(QUERIES[line])))):
                drawn.add(line)
    return drawn


@pytest.mark.parametrize("panel", QUERIES)
def test_no_panel_is_empty(watched: Watched, panel: str) -> None:
    """Every line of every dashboard shows a number once there has been traffic."""
    assert panel in watched.drawn


def test_prometheus_has_no_complaints_about_the_metrics(watched: Watched) -> None:
    text = httpx.get(f"http://{watched.metrics[0]}/metrics", trust_env=False).text

    done = subprocess.run(
        [program("promtool", package="prometheus"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stdout + done.stderr)


def test_alerts_say_their_numbers(watched: Watched) -> None:
    """What fires under this traffic is told in sentences that are complete."""
    alerts = watched.prometheus.alerts()

    assert {"GlmGatewayConcurrencyRefused", "GlmGatewayAccountAside"} <= set(alerts)
    assert not {"GlmGatewayDown", "GlmGatewayAbsent", "GlmGatewayRedisAway", "GlmGatewayNoAccount"} & set(alerts)
    for alert in alerts.values():
        assert "<no value>" not in alert["annotations"]["description"]
        assert "error" not in alert["annotations"]["description"].split()


def test_alerts_fire_when_a_gateway_is_killed(watched: Watched) -> None:
    """The loss of the process, and that the slots it held came back; the other goes on."""
    body = {"model": traffic.STALLING_MODEL, "messages": [{"role": "user", "content": "Hello!"}], "stream": True}
    headers = traffic.bearer(traffic.KEY)
    with httpx.Client(trust_env=False, timeout=10) as client:
        url = f"{watched.origins[0]}/v1/chat/completions"
        with client.stream("POST", url, json=body, headers=headers) as answer:
            assert next(answer.iter_lines())
            watched.served[0].process.kill()
            wanted = {"GlmGatewayDown", "GlmGatewayLeasesLost"}
            watched.prometheus.wait_for(lambda: wanted <= watched.prometheus.alerts().keys(), f"{wanted} fire")
        down = watched.prometheus.alerts()["GlmGatewayDown"]
        answer = client.post(
            f"{watched.origins[1]}/v1/chat/completions",
            headers=headers,
            content=json.dumps({**body, "model": "glm-4.7", "stream": False}),
        )

    assert watched.metrics[0] == down["labels"]["instance"]
    assert 200 == answer.status_code

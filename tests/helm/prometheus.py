"""Prometheus itself, on a free port, scraping what a test tells it to."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.programs import program
from tests.redis_server import free_port

INTERVAL = "1s"
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.1


class Prometheus:
    """One that answers at ``origin``."""

    def __init__(self, origin: str, *, client: httpx.Client) -> None:
        self.origin = origin
        self._client = client

    def ask(self, path: str, **parameters: str) -> Any:
        """Ask its API; gives the data."""
        answer = self._client.get(f"{self.origin}/api/v1/{path}", params=parameters)
        told = answer.json()
        assert told["status"] == "success", told
        return told["data"]

    def values(self, expr: str) -> list[float]:
        """Give what an expression is now."""
        return [float(one["value"][1]) for one in self.ask("query", query=expr)["result"]]

    def alerts(self) -> dict[str, Any]:
        """Give the alerts that fire now, by name."""
        return {
            one["labels"]["alertname"]: one for one in self.ask("alerts")["alerts"] if one["state"] == "firing"
        }

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for what only looking tells."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"{what}: never"
            time.sleep(PAUSE_SECONDS)


@contextmanager
def scraping(targets: Sequence[str], *, rules: Sequence[Path], folder: Path) -> Iterator[Prometheus]:
    """Run Prometheus: it scrapes ``targets`` and looks at ``rules`` every second."""
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        yaml.safe_dump(
            {
                "global": {
                    "scrape_interval": INTERVAL,
                    "scrape_timeout": INTERVAL,
                    "evaluation_interval": INTERVAL,
                },
                "rule_files": [str(path) for path in rules],
                "scrape_configs": [{"job_name": "llm", "static_configs": [{"targets": list(targets)}]}],
            }
        ),
        "utf-8",
    )
    origin = f"127.0.0.1:{free_port()}"
    command = [
        program("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={origin}",
        "--log.level=error",
    ]
    with httpx.Client(trust_env=False, timeout=10) as client, subprocess.Popen(command) as process:
        try:
            prometheus = Prometheus(f"http://{origin}", client=client)
            prometheus.wait_for(lambda: _is_ready(prometheus.origin, client=client), "Prometheus is ready")
            yield prometheus
        finally:
            process.kill()


def _is_ready(origin: str, *, client: httpx.Client) -> bool:
    try:
        return client.get(f"{origin}/-/ready").is_success
    except httpx.TransportError:
        return False

"""
Two gateways behind nginx are replaced one after the other while streams go on; counts what callers saw.

What Kubernetes does is done by hand: a process that is not ready gets no new requests, one that is told to stop is
waited for. ``python -m tests.deploy.rolling`` prints the count.
"""

import asyncio
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
from msgspec import Struct

from gateway.simulator import create_simulator, running
from gateway.simulator.accounts import DEMO_ACCOUNTS
from gateway.simulator.faults import Slow
from tests.bench.processes import nginx_program
from tests.redis_server import free_port
from tests.serving import Served, serving

KEY = "sk-of-a-team-0123456789"
CALLERS = 6
PAUSE_SECONDS = 0.02
ACCOUNT = max(DEMO_ACCOUNTS, key=lambda one: one.tier)
REQUEST = {
    "model": "glm-4.7",
    "messages": [{"role": "user", "content": "Count from 1 to 30"}],
    "stream": True,
    "reasoning_effort": "none",
}
END = "data: [DONE]"


class Count(Struct):
    """How many streams came whole, and what was wrong with each of the others."""

    whole: int = 0
    failed: list[str] = []


class Nginx:
    """In front of the gateways; sends to those that it was told of last."""

    def __init__(self, folder: Path) -> None:
        self.origin = f"http://127.0.0.1:{free_port()}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def sending_to(self, *origins: str) -> Iterator[None]:
        """Run until the block ends."""
        self._write(*origins)
        program = nginx_program()
        assert program is not None
        command = [program, "-e", "stderr", "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")]
        with (self._folder / "nginx.log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
            self._process = process
            try:
                yield
            finally:
                process.terminate()

    def send_to(self, *origins: str) -> None:
        """Send new requests to these; the others go on as they are."""
        self._write(*origins)
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def _write(self, *origins: str) -> None:
        home = self._folder
        servers = "".join(f"server {origin.removeprefix('http://')} max_fails=0; " for origin in origins)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        (home / "nginx.conf").write_text(
            f"""
            daemon off; worker_processes 1; pid {home}/pid; error_log stderr;
            events {{}}
            http {{
                access_log off; {"".join(f"{kind}_temp_path {home}/{kind}; " for kind in kinds)}
                upstream gateways {{ {servers} }}
                server {{
                    listen {self.origin.removeprefix("http://")};
                    location / {{ proxy_pass http://gateways; proxy_buffering off; proxy_read_timeout 60; }}
                }}
            }}""",
            "utf-8",
        )


async def keep_asking(url: str, count: Count, *, over: asyncio.Event) -> None:
    """Read one stream after the other, each on a connection of its own, as many callers would."""
    while not over.is_set():
        try:
            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client:  # noqa: S501
                what = await read(client, url)
        except httpx.HTTPError as error:
            what = repr(error)
        if what == "":
            count.whole += 1
        else:
            count.failed.append(what)


async def read(client: httpx.AsyncClient, url: str) -> str:
    """Give what is wrong with a stream, nothing when it came whole."""
    headers = {"Authorization": f"Bearer {KEY}"}
    async with client.stream("POST", f"{url}/v1/chat/completions", json=REQUEST, headers=headers) as answer:
        if not answer.is_success:
            return f"{answer.status_code} {(await answer.aread())[:200]!r}"
        lines = [line async for line in answer.aiter_lines() if line]
    return "" if lines and lines[-1] == END and '"error"' not in "".join(lines) else f"ended with {lines[-1:]}"


@asynccontextmanager
async def callers(url: str, count: Count) -> AsyncIterator[None]:
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CALLERS):
            tasks.create_task(keep_asking(url, count, over=over))
        yield
        over.set()


async def ready(origin: str) -> bool:
    """Tell whether a gateway, or nginx for one, wants requests; one that has ended does not."""
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:  # noqa: S501
        try:
            return (await client.get(f"{origin}/readyz")).is_success
        except httpx.TransportError:
            return False


async def becomes(origin: str, *, wanted: bool) -> None:
    """Wait until a gateway wants requests, or wants none."""
    while await ready(origin) is not wanted:  # noqa: ASYNC110 - only asking tells
        await asyncio.sleep(PAUSE_SECONDS)


async def roll() -> Count:
    """Replace both gateways while callers ask; gives what those saw."""
    count = Count()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        zhipu = stack.enter_context(running(create_simulator(faults=[Slow(seconds=0.02, times=None)])))
        environ = {
            "ZHIPU_API_KEY": ACCOUNT.key,
            "GATEWAY_ACCOUNT_TIER": ACCOUNT.tier,
            "GATEWAY_UPSTREAM_URL": zhipu.url,
            "GATEWAY_KEYS": f"team:{KEY}:V3",
            "GATEWAY_DRAIN_SECONDS": "30",
            "GATEWAY_LOGS_LEVEL": "error",
        }

        async def start() -> tuple[Served, str]:
            served = stack.enter_context(serving(environ))
            line = await asyncio.to_thread(served.read_until, "GLM Gateway answers on ")
            return served, line.split()[-1].removesuffix("/v1")

        olds = [await start(), await start()]
        nginx = Nginx(Path(folder))
        stack.enter_context(nginx.sending_to(*(origin for _, origin in olds)))
        await becomes(nginx.origin, wanted=True)
        async with callers(nginx.origin, count):
            for place, (served, origin) in enumerate(list(olds)):
                other = olds[1 - place][1]
                before = count.whole
                nginx.send_to(other)  # As Kubernetes does before it tells a pod to stop.
                served.process.send_signal(signal.SIGTERM)
                await becomes(origin, wanted=False)
                code = await asyncio.to_thread(served.process.wait, 40)
                if code:
                    count.failed.append(f"{origin} ended with {code}")
                olds[place] = await start()
                nginx.send_to(other, olds[place][1])
                while count.whole < before + 2 * CALLERS and not count.failed:  # noqa: ASYNC110 - callers tell nobody
                    await asyncio.sleep(PAUSE_SECONDS)
    return count


if __name__ == "__main__":
    told = asyncio.run(roll())
    print(f"{told.whole} streams came whole, {len(told.failed)} did not.", *told.failed, sep="\n")  # noqa: T201
    sys.exit(bool(told.failed))

"""``glm-gateway serve``: the gateway, with the simulator beside it when there is no account at Zhipu."""

import errno
import json
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from gateway import __version__, logs, server
from gateway.app import create_gateway, doubts
from gateway.catalog import Catalog
from gateway.cli.configuration import (
    DEMO_KEY,
    EVERYWHERE,
    catalog_or_explain,
    config_option,
    explain,
    load_or_explain,
    posture,
)
from gateway.cli.inherited import fill_standard_streams, ignore_hangups, raise_file_limit, tell
from gateway.cli.inside import Inside, create_registry
from gateway.cli.reload import Reload
from gateway.metrics import Metrics, RecentFailures
from gateway.record import Sink
from gateway.settings import Settings, SettingsError, fingerprint, load

DEMO_MODEL = "glm-4.7"

Beside = tuple[Callable[[Any, Any, Any], Awaitable[None]], socket.socket]
"""An application that is served beside the gateway, and where."""

logger = logging.getLogger("gateway")


@click.command()
@config_option
def serve(config_path: Path | None) -> None:
    """Answer requests until told to stop; SIGTERM lets what is under way end first."""
    ignore_hangups()
    fill_standard_streams()
    raise_file_limit()
    settings = load_or_explain(config_path)
    catalog = catalog_or_explain(settings)
    log = logs.configure(form=settings.logs.format, level=settings.logs.level)
    with tracing(settings) as traces, ExitStack() as sockets:
        listener = sockets.enter_context(_take(settings.host, settings.port, variables="GATEWAY_{}"))
        metrics_listener = sockets.enter_context(
            _take(settings.metrics_host, settings.metrics_port, variables="GATEWAY_METRICS_{}")
        )
        simulator = sockets.enter_context(server.bind("127.0.0.1", 0)) if settings.simulator else None
        server.run(
            _serve(
                settings,
                config_path=config_path,
                catalog=catalog,
                sinks=(log, *traces),
                listener=listener,
                metrics_listener=metrics_listener,
                simulator=simulator,
            )
        )


async def _serve(
    settings: Settings,
    *,
    config_path: Path | None,
    catalog: Catalog,
    sinks: Sequence[Sink],
    listener: socket.socket,
    metrics_listener: socket.socket,
    simulator: socket.socket | None,
) -> None:
    lifecycle = server.Lifecycle()
    metrics = Metrics(create_registry(), models=catalog.models, revision=settings.revision)
    metrics.process.draining.set_function(lambda: float(lifecycle.draining))
    failures = RecentFailures(time.time)
    complete, beside = _stand_in(simulator)
    running = complete(settings)
    gateway = create_gateway(
        running,
        catalog=catalog,
        sinks=(metrics.observe, failures.observe, *sinks),
        is_draining=lambda: lifecycle.draining,
        working=lifecycle.working,
        redis_observer=metrics.redis,
    )
    inside = Inside(gateway, metrics=metrics, failures=failures, lifecycle=lifecycle)
    beside.append((inside.create_app(), metrics_listener))
    reload = Reload(
        running,
        read=lambda: complete(load(os.environ, config_path=config_path)),
        gateway=gateway,
        metrics=metrics,
    )
    async with server.reloading(reload, files=settings.files, look=fingerprint):
        await server.serve(
            gateway.app,
            listener=listener,
            lifecycle=lifecycle,
            drain_seconds=settings.drain_seconds,
            max_header_bytes=settings.max_header_bytes,
            refuse=gateway.refuse,
            max_message_bytes=settings.realtime.max_message_bytes,
            beside=beside,
            observe_lag=metrics.process.event_loop_lag.observe,
            announce=lambda: _announce(
                settings, catalog=catalog, port=_port(listener), metrics_port=_port(metrics_listener)
            ),
        )


@contextmanager
def tracing(settings: Settings) -> Iterator[Sequence[Sink]]:
    """Give the sinks that tell traces, none without a setting; what they hold is sent before this is left."""
    endpoint = settings.telemetry.otlp_endpoint
    if endpoint is None:
        yield ()
        return
    # Imported only where it is wanted: it is an extra, and takes long to import.
    from gateway.telemetry import Tracing  # noqa: PLC0415

    with closing(Tracing(endpoint, version=__version__, upstream_url=settings.upstream_url)) as telling:
        yield (telling.observe,)


def _take(host: str, port: int, *, variables: str) -> socket.socket:
    """Take an address, or say which of its ``variables``, a host and a port, is wrong and end the program."""
    try:
        return server.bind(host, port)
    except OSError as error:
        reason = error.strerror or "unknown address"
        of_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        variable = variables.format("HOST" if of_host else "PORT")
        explain(f"{host} port {port} cannot be used: {reason}.", [f"Choose another with {variable}."])


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _stand_in(simulator: socket.socket | None) -> tuple[Callable[[Settings], Settings], list[Beside]]:
    """Return what makes settings ready to be used, also those of a reload, and the simulator if there is one."""
    if simulator is None:
        return _on_accounts, []
    # Imported only where it is needed: it brings decoders and voices along.
    from gateway.cli.stand_in import create_simulator, on_simulator  # noqa: PLC0415

    return partial(on_simulator, port=_port(simulator)), [(create_simulator(), simulator)]


def _on_accounts(settings: Settings) -> Settings:
    """Refuse to go on without an account: the simulator is there from the start or not at all."""
    if settings.simulator:
        problem = "There is no account any more; restart the gateway, and the simulator stands in for GLM."
        raise SettingsError([problem], files=settings.files)
    return settings


def _announce(settings: Settings, *, catalog: Catalog, port: int, metrics_port: int) -> None:
    for sentence in posture(replace(settings, port=port, metrics_port=metrics_port), catalog=catalog):
        logger.info(sentence)
    for warning in doubts(settings, catalog=catalog):
        logger.warning(warning)
    if settings.simulator and (settings.tenants or settings.host in EVERYWHERE):
        logger.warning("There is no account at Zhipu: every answer is the simulator's. Set ZHIPU_API_KEY.")
    host = "127.0.0.1" if settings.host in EVERYWHERE else settings.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
    tell(f"GLM Gateway answers on {url}")
    if settings.simulator:
        tell("ZHIPU_API_KEY is not set, so the built-in simulator stands in for GLM.")
    if settings.simulator and not settings.tenants:
        tell(f"Demo key: {DEMO_KEY}\nTry it:\n{_curl(url)}")


def _curl(url: str) -> str:
    body = json.dumps({"model": DEMO_MODEL, "messages": [{"role": "user", "content": "Hello!"}]})
    return (
        f"curl {url}/chat/completions -H 'Authorization: Bearer {DEMO_KEY}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )

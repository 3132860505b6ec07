"""What the commands that read the configuration share: its option, its errors in words, what it opens."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from gateway.app import load_catalog
from gateway.catalog import Catalog
from gateway.settings import Settings, SettingsError, load
from gateway.settings.contradictions import LOOPBACK
from gateway.settings.environment import LIMITS

Command = TypeVar("Command", bound=Callable[..., Any])

CANNOT_START = 2
DEMO_KEY = "sk-glm-demo"
"""The key of the one tenant that there is where no account and no tenant is configured."""

EVERYWHERE = frozenset({"0.0.0.0", "::"})


def config_option(command: Command) -> Command:
    """Give a command the option ``--config``; without it the variable ``GATEWAY_CONFIG`` names the file."""
    kind = click.Path(dir_okay=False, path_type=Path)
    option = click.option("--config", "config_path", type=kind, help="TOML file; the environment wins over it.")
    return option(command)


def load_or_explain(config_path: Path | None) -> Settings:
    """Read the settings, or say what is wrong with them and end the program."""
    try:
        return load(os.environ, config_path=config_path)
    except SettingsError as error:
        explain("The configuration cannot be used:", error.problems)


def catalog_or_explain(settings: Settings) -> Catalog:
    """Read the catalogue, or say what is wrong with what the operator changes in it and end the program."""
    try:
        return load_catalog(settings)
    except SettingsError as error:
        explain("The configuration cannot be used:", error.problems)


def explain(title: str, problems: Iterable[str]) -> NoReturn:
    """Print problems, one a line, and end the program."""
    click.echo(title, err=True)
    for problem in problems:
        click.echo(f"  - {problem}", err=True)
    sys.exit(CANNOT_START)


def posture(settings: Settings, *, catalog: Catalog) -> Iterator[str]:
    """Say what this configuration opens, to whom, and which of its limits are known."""
    yield f"Requests: port {settings.port} of {_reach(settings.host)}; {_admitted(settings)}."
    yield f"Metrics: port {settings.metrics_port} of {_reach(settings.metrics_host)}; no key is asked for."
    if settings.telemetry.otlp_endpoint is not None:
        yield f"Traces: sent to {settings.telemetry.otlp_endpoint}; no prompt, answer or key is in them."
    if settings.cors_origins:
        yield f"Browsers: pages of {', '.join(settings.cors_origins)} may call with a key that they have."
    if settings.simulator:
        yield "GLM: the built-in simulator; nothing leaves this machine."
    else:
        yield f"GLM: {settings.upstream_url}; accounts: {len(settings.accounts)}."
    yield f"Slots: {_shared(settings)}."
    models = catalog.models
    if guessed := sum(model.limits_source == "conservative" for model in models):
        yield f"Limits: guessed for {guessed} of {len(models)} models, as Zhipu documents none; set {LIMITS}."


def _shared(settings: Settings) -> str:
    url = settings.redis.url
    if url is None:
        return "of this process alone; a second one would allow as much again"
    way = "Redis over TLS" if url.reveal().startswith("rediss") else "Redis without TLS, so keep it inside"
    away = "each replica goes by its share" if settings.redis.on_outage == "share" else "requests are refused"
    return f"shared through {way}; while it is away {away}"


def _admitted(settings: Settings) -> str:
    issuers = f"issuers of tokens: {len(settings.jwt)}"
    if settings.tenants:
        tenants = f"tenants with keys: {sum(bool(tenant.key_sha256) for tenant in settings.tenants)}"
        return f"{tenants}, {issuers}" if settings.jwt else tenants
    if settings.simulator:
        return "the demo key is known to everybody"
    if any(issuer.ad_hoc for issuer in settings.jwt):
        return issuers
    return "all are refused, as there are no tenants"


def _reach(host: str) -> str:
    if host in LOOPBACK:
        return f"{host} (this machine only)"
    if host in EVERYWHERE:
        return f"{host} (every interface, plain HTTP: put TLS in front)"
    return f"{host} (plain HTTP: put TLS in front)"

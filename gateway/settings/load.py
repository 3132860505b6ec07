"""
From a file and an environment to ``Settings``, or to every reason why not.

Reads the file and the files that it names; knows what settings mean together.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from msgspec.structs import replace

from gateway.catalog import Tier
from gateway.settings.environment import API_KEY, CONFIG, KEYS, overlay
from gateway.settings.problems import SettingsError
from gateway.settings.reader import Reader
from gateway.settings.schema import Positive, Settings


def load(environ: Mapping[str, str], *, config_path: Path | None = None) -> Settings:
    """
    Read the settings; the environment wins over the file at ``config_path``, or at ``GATEWAY_CONFIG``.

    Raises ``SettingsError`` with all problems that were found: the operator's fault.
    """
    reader = Reader(environ)
    table = _read_file(config_path or environ.get(CONFIG), reader=reader)
    warnings = overlay(environ, table, reader=reader)
    limits = _take_limits(table, reader=reader)
    settings = reader.struct(Settings, table) or Settings()
    problems = [*reader.problems, *_contradictions(settings)]
    if problems:
        raise SettingsError(problems)
    return replace(settings, limits=limits, warnings=(*warnings, *_doubts(settings)))


def _read_file(path: Path | str | None, *, reader: Reader) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        reader.problems.append(f"The configuration file {path} cannot be read: {error.strerror}.")
    except ValueError as error:
        reader.problems.append(f"The configuration file {path} is not TOML: {error}.")
    return {}


def _take_limits(table: dict[str, Any], *, reader: Reader) -> dict[str, dict[Tier, int]]:
    """Take ``[limits]`` out of the table: one key of it is a setting, every other a model with its tiers."""
    models = table.pop("limits", {})
    if not isinstance(models, dict):
        reader.problems.append('limits must be tables such as [limits."glm-4.7"].')
        return {}
    if "on_lost_lease" in models:
        table.setdefault("on_lost_lease", models.pop("on_lost_lease"))
    return {model: _take_tiers(tiers, reader=reader, at=f'limits."{model}"') for model, tiers in models.items()}


def _take_tiers(tiers: Any, *, reader: Reader, at: str) -> dict[Tier, int]:
    names = get_args(Tier)
    if not isinstance(tiers, dict):
        reader.problems.append(f"{at} must be a table with {', '.join(names)}.")
        return {}
    for name in sorted(tiers.keys() - set(names)):
        reader.problems.append(f"{at}.{name} is not a tier; there are {', '.join(names)}.")
    read = {name: reader.value(Positive, tiers[name], at=f"{at}.{name}") for name in names if name in tiers}
    return {name: limit for name, limit in read.items() if limit is not None}


def _contradictions(settings: Settings) -> Iterator[str]:
    """Find settings that are readable one by one and wrong together."""
    for name in _repeated(account.name for account in settings.accounts):
        yield f"Two accounts are named {name}; give each its own name."
    if any(_repeated(account.api_key for account in settings.accounts)):
        yield "Two accounts have the same key; list each account once, or its limits would be counted twice."
    for name in _repeated(tenant.name for tenant in settings.tenants):
        yield f"Two tenants are named {name}; give each its own name."
    for key in _repeated(key for tenant in settings.tenants for key in tenant.key_sha256):
        owners = sorted({tenant.name for tenant in settings.tenants if key in tenant.key_sha256})
        yield f"The same key is listed more than once ({', '.join(owners)}); a key means one tenant."
    if settings.port and settings.port == settings.metrics_port:
        yield f"port and metrics_port are both {settings.port}; metrics need a port of their own."
    if settings.redis.url is not None:
        yield "redis.url is set, but this version shares no slots; unset it and run one replica."


def _doubts(settings: Settings) -> Iterator[str]:
    """Find what is allowed and probably not meant."""
    if settings.simulator and settings.upstream_url != Settings().upstream_url:
        yield f"upstream_url is set but not used: with no account the simulator answers. Set {API_KEY}."
    if settings.accounts and not settings.tenants:
        yield f"There are no tenants, so every request is refused; set {KEYS} or list [[tenants]]."
    url = urlsplit(settings.upstream_url)
    if settings.accounts and url.scheme == "http" and url.hostname not in {"localhost", "127.0.0.1", "::1"}:
        yield "upstream_url is plain http, so account keys and prompts travel unencrypted; use https."


def _repeated(values: Iterable[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]

"""
What the environment says, laid over what the file says.

Every plain setting has a variable named after its key path: ``chat.on_disconnect`` is
``GATEWAY_CHAT_ON_DISCONNECT``. Only the variables that hold several settings in one text are parsed here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import fields

from gateway.auth import digest
from gateway.catalog import Tier
from gateway.settings.problems import nearest
from gateway.settings.reader import FOUND_NOT_CONFIGURED, Reader, Said
from gateway.settings.schema import Settings

PREFIX = "GATEWAY_"
API_KEY = "ZHIPU_API_KEY"
ACCOUNT_TIER = "GATEWAY_ACCOUNT_TIER"
KEYS = "GATEWAY_KEYS"
LIMITS = "GATEWAY_LIMITS"
ALIASES = "GATEWAY_ALIASES"
CONFIG = "GATEWAY_CONFIG"

SHORT_KEY_CHARACTERS = 16
TIERS: tuple[str, ...] = get_args(Tier)

TABLES = ("accounts", "tenants", "jwt", "limits", "aliases", "voices")
"""Settings that no plain text can say."""

Table = dict[str, Any]


def _plain(kind: type[Struct], *path: str) -> Iterator[tuple[str, ...]]:
    for field in fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            yield from _plain(field.type, *path, field.name)
        elif field.name not in {*TABLES, *FOUND_NOT_CONFIGURED}:
            yield (*path, field.name)


PLAIN: Mapping[str, tuple[str, ...]] = {PREFIX + "_".join(path).upper(): path for path in _plain(Settings)}
"""Every variable that stands for one setting, and the key path of that setting."""

KNOWN = (API_KEY, ACCOUNT_TIER, KEYS, LIMITS, ALIASES, CONFIG, *PLAIN)


def overlay(environ: Mapping[str, str], table: Table, *, reader: Reader) -> list[str]:
    """Write what the environment says into the file's table; gives warnings, and ``reader`` the problems."""
    _refuse_unknown(environ, reader=reader)
    said = {name: text.strip() for name, text in environ.items() if name in KNOWN}
    for name in [name for name, text in said.items() if not text]:
        reader.problems.append(f"{name} is empty; give it a value, or leave it unset.")
        del said[name]
    for name in said.keys() & PLAIN.keys():
        _lay_plain(Said(name, said[name]), table, path=PLAIN[name])
    if LIMITS in said:
        _lay_limits(said[LIMITS], table, reader=reader)
    if ALIASES in said:
        _lay_aliases(said[ALIASES], table, reader=reader)
    warnings = _lay_keys(said[KEYS], table, reader=reader) if KEYS in said else []
    return [*warnings, *_lay_account(said, table, reader=reader)]


def _refuse_unknown(environ: Mapping[str, str], *, reader: Reader) -> None:
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in KNOWN:
            continue
        if re.match(r"GATEWAY_(SERVICE_|PORT_\d+_)", name):
            hint = "; Kubernetes sets it for a Service named 'gateway': set enableServiceLinks to false."
        else:
            hint = nearest(name, KNOWN)
        reader.problems.append(f"{name} is not a variable of this gateway{hint}")


def _lay_plain(said: Said, table: Table, *, path: tuple[str, ...]) -> None:
    *parents, name = path
    for parent in parents:
        inner = table.setdefault(parent, {})
        if not isinstance(inner, dict):
            return  # the file is wrong here, and the reader will say so
        table = inner
    for way in ("_env", "_file"):
        table.pop(name + way, None)
    table[name] = said


def _lay_account(said: Mapping[str, str], table: Table, *, reader: Reader) -> list[str]:
    listed = table.get("accounts")
    if listed and ACCOUNT_TIER in said:
        reader.problems.append(
            f"{ACCOUNT_TIER} belongs to {API_KEY}; accounts in the file have a tier each, so unset it."
        )
    if listed and API_KEY in said:
        used = any(isinstance(one, dict) and one.get("api_key_env") == API_KEY for one in listed)
        return [] if used else [f"{API_KEY} is set but not used: the file lists accounts, and none names it."]
    if API_KEY in said:
        tier = Said(ACCOUNT_TIER, said.get(ACCOUNT_TIER, "V0"))
        table["accounts"] = [{"name": "default", "api_key": Said(API_KEY, said[API_KEY]), "tier": tier}]
    elif ACCOUNT_TIER in said and not listed:
        reader.value(Tier, Said(ACCOUNT_TIER, said[ACCOUNT_TIER]), at=ACCOUNT_TIER)
        return [f"{ACCOUNT_TIER} is set but not used: there is no {API_KEY}."]
    return []


def _lay_keys(text: str, table: Table, *, reader: Reader) -> list[str]:
    """Add the tenants of ``name:key:tier,…``; nothing of an entry is quoted, as it may be a key."""
    tenants, warnings = [], []
    for number, entry in enumerate(text.split(","), 1):
        where = f"{KEYS}, entry {number}"
        parts = [part.strip() for part in re.split(r"^([^:]*):(.*):", entry.strip())[1:]]
        if len(parts) != 3 or parts[2] not in TIERS:
            reader.problems.append(f"{where} must read name:key:tier, with a tier of {', '.join(TIERS)}.")
            continue
        name, key, tier = parts
        if reader.secret(key, at=where) is None:
            continue
        if len(key) < SHORT_KEY_CHARACTERS:
            warnings.append(
                f"The key in {where} has fewer than {SHORT_KEY_CHARACTERS} characters; "
                "make a long one with 'glm-gateway keys new'."
            )
        tenants.append(_tenant(name, key, tier, where=where))
    _replace_by_name(table, tenants)
    return warnings


def _tenant(name: str, key: str, tier: str, *, where: str) -> Table:
    return {
        "name": Said(f"The name in {where}", name),
        "key_sha256": [digest(key)],
        "tier": tier,
    }


def _replace_by_name(table: Table, tenants: list[Table]) -> None:
    names = {tenant["name"].text for tenant in tenants}
    listed = table.get("tenants", [])
    if isinstance(listed, list):
        kept = [one for one in listed if not (isinstance(one, dict) and one.get("name") in names)]
        table["tenants"] = [*kept, *tenants]


def _lay_limits(text: str, table: Table, *, reader: Reader) -> None:
    """Add the limits of ``model=V0/V1/V2/V3,…``."""
    limits = table.setdefault("limits", {})
    for entry in text.split(","):
        model, _, numbers = entry.partition("=")
        tiers = dict(zip(TIERS, (Said(LIMITS, n) for n in numbers.split("/")), strict=False))
        if not model.strip() or len(numbers.split("/")) != len(TIERS):
            reader.problems.append(
                f"{LIMITS} must read model=V0/V1/V2/V3,… such as glm-4.7=3/5/10/20, not {entry!r}."
            )
        elif isinstance(limits, dict):
            limits[model.strip()] = tiers


def _lay_aliases(text: str, table: Table, *, reader: Reader) -> None:
    """Put the aliases of ``alias=model,…`` in the place of the file's."""
    pairs = [[part.strip() for part in entry.partition("=")] for entry in text.split(",")]
    if not all(alias and model for alias, _, model in pairs):
        reader.problems.append(f"{ALIASES} must read alias=model,… such as whisper-1=glm-asr.")
    table["aliases"] = {alias: model for alias, _, model in pairs}

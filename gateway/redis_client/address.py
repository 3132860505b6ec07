"""Where Redis is, as a URL says it; for settings too, so without the client, which takes long to import."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

PORT = 6379
SENTINEL_PORT = 26379
MAX_PORT = 65535
UNIX = "unix:///"
URL = re.compile(
    r"(?P<scheme>rediss?)(\+(?P<kind>cluster|sentinel))?://"
    r"((?P<user>[^:@/]*)(:(?P<password>[^@/]*))?@)?"
    r"(?P<hosts>[^@/?#]+)"
    r"(/(?P<path>[^?#]*))?"
)
HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(:(\d+))?")
FORMS = (
    "redis://[user:password@]host[:port][/database], rediss://… for TLS, unix:///path/to/socket, "
    "redis+cluster://host1:port,host2:port or redis+sentinel://host1:port,host2:port/primary[/database]"
)

Kind = Literal["server", "cluster", "sentinel"]

KINDS: Mapping[str | None, Kind] = {None: "server", "cluster": "cluster", "sentinel": "sentinel"}


class AddressError(ValueError):
    """Raised for a URL that says not where Redis is; the message does not repeat it, as it may hold a password."""

    def __init__(self) -> None:
        super().__init__(f"This is no URL of Redis. Right are {FORMS}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """
    Where Redis is: one server, the nodes of a Cluster, or sentinels that name the ``primary``.

    ``user`` and ``password`` are empty where there is none; they are the primary's, not the sentinels'.
    """

    kind: Kind
    tls: bool
    hosts: tuple[tuple[str, int], ...]
    user: str = ""
    password: str = field(default="", repr=False)
    primary: str = ""
    database: int = 0


def read_address(url: str) -> Address | None:
    """Return what a URL says, None for that of a socket, which says nothing more. Raises AddressError."""
    if url.startswith(UNIX):
        return None
    parts = URL.fullmatch(url)
    if parts is None:
        raise AddressError
    kind = KINDS[parts["kind"]]
    path = (parts["path"] or "").split("/")
    primary = path.pop(0) or "mymaster" if kind == "sentinel" else ""
    return Address(
        kind=kind,
        tls=parts["scheme"] == "rediss",
        hosts=hosts_of(parts["hosts"], SENTINEL_PORT if kind == "sentinel" else PORT),
        user=unquote(parts["user"] or ""),
        password=unquote(parts["password"] or ""),
        primary=primary,
        database=database_of(path) if kind != "cluster" else 0,
    )


def hosts_of(text: str, default_port: int) -> tuple[tuple[str, int], ...]:
    """Return hosts and ports; an IPv6 address stands in brackets."""
    found = []
    for one in text.split(","):
        match = HOST.fullmatch(one)
        if match is None or int(match[3] or default_port) > MAX_PORT:
            raise AddressError
        found.append((match[1].strip("[]"), int(match[3] or default_port)))
    return tuple(found)


def database_of(path: list[str]) -> int:
    if not path or not path[0]:
        return 0
    if not path[0].isdecimal():
        raise AddressError
    return int(path[0])

"""A primary and a replica of our own, and Sentinels that put the one in the place of the other."""

from pathlib import Path
from typing import Self

from gateway.torture.redis import RedisServer, wait_until

SENTINELS = 3
PRIMARY = "mymaster"
DOWN_AFTER_MS = 2000
"""Twice what Sentinels leave between two pings; with less they take one that they have just met for dead."""

CONFIGURATION = """\
sentinel monitor {primary} 127.0.0.1 {port} 2
sentinel down-after-milliseconds {primary} {down_after_ms}
sentinel failover-timeout {primary} 2000
"""


class SentinelServer(RedisServer):
    """A Redis that watches others; ``watch`` comes before ``start``."""

    def watch(self, server: RedisServer) -> Self:
        """Write down whom to watch."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._file.write_text(CONFIGURATION.format(primary=PRIMARY, port=server.port, down_after_ms=DOWN_AFTER_MS))
        return self

    @property
    def _file(self) -> Path:
        return self._directory / "sentinel.conf"

    def _arguments(self) -> list[str]:
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory)]
        return [str(self._file), *where, "--sentinel"]


class RedisSentinel:
    """A primary, a replica of it, and Sentinels that put the one in the place of the other."""

    def __init__(self, directory: Path) -> None:
        replication = ("--repl-diskless-sync-delay", "0")
        self.servers = [RedisServer(directory / name, *replication) for name in ("one", "two")]
        self.sentinels = [SentinelServer(directory / f"sentinel-{number}") for number in range(SENTINELS)]

    @property
    def url(self) -> str:
        """Where it is asked for."""
        sentinels = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{sentinels}/{PRIMARY}/0"

    @property
    def primary(self) -> RedisServer:
        """The server that the Sentinels take for the primary."""
        return self.named_by(self.sentinels[0])

    def start(self) -> Self:
        """Start all, and wait until the Sentinels know each other and the replica. Raises StartError."""
        first, second = self.servers
        first.start()
        self.follow(second, first)
        for sentinel in self.sentinels:
            sentinel.watch(first).start()
        wait_until(self.agrees, "the Sentinels do not come together")
        return self

    def follow(self, server: RedisServer, primary: RedisServer) -> None:
        """Start a server as a replica of another."""
        server.start("--replicaof", "127.0.0.1", str(primary.port))

    def fail_over(self) -> None:
        """Kill the primary, wait until the other has its place, and let it come back as a replica."""
        killed = self.primary
        (primary,) = (server for server in self.servers if server is not killed)
        killed.kill()
        wait_until(
            lambda: all(self.named_by(sentinel) is primary for sentinel in self.sentinels),
            "nobody took the primary's place",
        )
        self.follow(killed, primary)
        wait_until(
            lambda: primary.ask("INFO", "REPLICATION").get("slave0", {}).get("state") == "online",
            "the replica does not follow",
        )

    def named_by(self, sentinel: SentinelServer) -> RedisServer:
        """Return the server that a Sentinel takes for the primary."""
        _, port = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY)
        return next(server for server in self.servers if server.port == int(port))

    def agrees(self) -> bool:
        """Tell whether every Sentinel sees all others, and a replica that could take over."""
        return all(sees_all(sentinel) for sentinel in self.sentinels)

    def kill(self) -> None:
        """End everything at once."""
        for server in (*self.sentinels, *self.servers):
            server.kill()


def sees_all(sentinel: SentinelServer) -> bool:
    """Tell whether a Sentinel sees all others, the primary, and a replica that has all that the primary has."""
    primary = sentinel.ask("SENTINEL", "MASTER", PRIMARY)
    replicas = sentinel.ask("SENTINEL", "REPLICAS", PRIMARY)
    return (
        primary[b"flags"] == b"master"
        and int(primary[b"num-other-sentinels"]) == SENTINELS - 1
        and any(one[b"flags"] == b"slave" and one[b"master-link-status"] == b"ok" for one in replicas)
    )

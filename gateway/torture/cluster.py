"""A Redis Cluster of our own: three primaries on free ports."""

from pathlib import Path
from typing import Self

from gateway.torture.redis import RedisServer, wait_until

NODES = 3
SLOTS = 16_384


class RedisCluster:
    """Three primaries that share the slots of a Cluster; no replicas, so what one held is gone with it."""

    def __init__(self, directory: Path) -> None:
        self.servers = [
            RedisServer(
                directory / f"node-{number}",
                *("--cluster-enabled", "yes", "--cluster-node-timeout", "1000"),
                *("--cluster-require-full-coverage", "no"),
            )
            for number in range(NODES)
        ]

    @property
    def url(self) -> str:
        """Where it answers."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)

    def start(self) -> Self:
        """Start the nodes, share out the slots and wait until all agree. Raises StartError."""
        first = self.servers[0]
        for number, server in enumerate(self.servers):
            server.start()
            server.ask("CLUSTER", "ADDSLOTS", *range(SLOTS * number // NODES, SLOTS * (number + 1) // NODES))
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            if server is not first:
                first.ask("CLUSTER", "MEET", "127.0.0.1", server.port)
        wait_until(self.agrees, "the Cluster does not come together")
        return self

    def agrees(self) -> bool:
        """Tell whether every node knows every other, and that all slots are served."""
        wanted = (b"cluster_state:ok", b"cluster_known_nodes:%d" % NODES, b"cluster_size:%d" % NODES)
        said = [bytes(server.ask("CLUSTER", "INFO")).split() for server in self.servers]
        return all(line in lines for lines in said for line in wanted)

    def kill(self) -> None:
        """End all nodes at once."""
        for server in self.servers:
            server.kill()

"""Which replicas share the limits, as last heard, and how much of a limit is this replica's own without Redis."""

from collections import defaultdict
from collections.abc import Iterable

from gateway.limits.wire import Peer

SETTLING = ""
"""Stands for replicas nobody has heard of yet: a newcomer to new books gives them time to be seen."""


class Roster:
    """
    The replicas seen lately, this one included. Times are in seconds of a monotonic clock.

    ``marks`` are the most slots each replica is known to have held at once, beyond what is its own, by model, then
    by "tenant:<name>" or "account:<name>".
    """

    def __init__(self, replica: str, *, lease_seconds: float, settle_seconds: float) -> None:
        self.replica = replica
        self.marks: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self._lease_seconds = lease_seconds
        self._settle_seconds = settle_seconds
        self._until: dict[str, float] = {}
        self._first: float | None = None
        self._last = 0.0

    @property
    def ever_seen(self) -> bool:
        """Whether Redis ever told who else there is; without, no share of anything can be known."""
        return self._first is not None

    @property
    def replicas(self) -> list[str]:
        """All replicas, in an order that is the same for all of them."""
        return sorted({self.replica, *self._until})

    def see(self, peers: list[tuple[str, int]], *, now: float) -> None:
        """
        Note who is there, and for how many ms each counts.

        When Redis was not to be reached for a while, those seen before get a lease to come back as well.
        """
        if self._first is None:
            self._first = now
        elif now - self._last > self._settle_seconds:
            for replica in self._until:
                self._until[replica] = now + self._lease_seconds
        self._last = now
        for replica, left_ms in peers:
            if replica != self.replica:
                self._until[replica] = max(self._until.get(replica, 0.0), now + left_ms / 1000)
        self._until = {replica: until for replica, until in self._until.items() if until > now}
        for by_replica in self.marks.values():
            for replica in by_replica.keys() - self._until.keys() - {self.replica}:
                del by_replica[replica]

    def join(self, replica: str, *, now: float) -> None:
        """Note that another replica came."""
        if replica != self.replica:
            self._until[replica] = now + self._lease_seconds

    def leave(self, replica: str) -> None:
        """Note that a replica took its leave, holding nothing."""
        self._until.pop(replica, None)
        for by_replica in self.marks.values():
            by_replica.pop(replica, None)

    def mark(self, model: str, told: Iterable[tuple[str, int]]) -> None:
        """Note what replicas hold, as "<replica> <what>" and a number."""
        for field, number in told:
            replica, _, what = field.partition(" ")
            if number:
                self.marks[model][replica][what] = number
            else:
                self.marks[model][replica].pop(what, None)

    def peers(self, *, now: float) -> list[Peer]:
        """
        Return whom new books have to await, and for how long.

        Who was not asked about lately gets a lease, as it may be there.
        """
        at_least = now + self._lease_seconds if now - self._last > self._settle_seconds else now
        ends = [(replica, max(until, at_least)) for replica, until in self._until.items()]
        peers = [Peer(replica, round((until - now) * 1000)) for replica, until in ends if until > now]
        settled = (self._first if self._first is not None else now) + self._settle_seconds
        if settled > now:
            peers.append(Peer(SETTLING, round((settled - now) * 1000)))
        return peers

    def share(self, limit: int, *, model: str, what: str) -> int:
        """
        Return how much of a limit is this replica's without Redis.

        The shares of all add up to the limit, remainders going to the first. What others took beyond theirs is
        taken off.
        """
        replicas = self.replicas
        marks = self.marks[model]
        share = portion(limit, replicas.index(self.replica), len(replicas))
        for index, replica in enumerate(replicas):
            if replica != self.replica:
                share -= max(0, marks[replica].get(what, 0) - portion(limit, index, len(replicas)))
        return max(0, share)


def portion(limit: int, index: int, parts: int) -> int:
    return limit // parts + (index < limit % parts)

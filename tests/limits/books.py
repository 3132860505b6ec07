"""What ledger.lua has to do, said in Python: ledger.py, with replicas, leases and the roll around it."""

from collections import Counter

from msgspec import UNSET

from gateway.limits.ledger import Full, Granted, Holder, Ledger, Turn, Waiting, Wish
from gateway.limits.wire import Acquire, Answer, Done, Hold, Keep, Kept, Operation, Release, Reply, Request

REPLICA = 1_000_000
"""Numbers of replica a start here, those of b at twice of it."""


class Books:
    """One model's books. ``told`` has the turns of replicas other than the one that asked last."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.epoch = ""
        self.roll: dict[str, int] = {}
        self.leases: dict[int, int] = {}
        self.told: list[tuple[str, Turn]] = []
        self._touched = 0

    def apply(self, request: Request, *, now: int) -> Reply:
        """Do what a replica asks for, at ``now`` in ms."""
        self._request, self._now, self.told = request, now, []
        self._lost: list[int] = []
        self._turns: list[Turn] = []
        self._expired = 0
        if self._are_new():
            self._begin()
        self._touched = now
        stale = request.peers is UNSET and request.epoch != self.epoch
        answers = [] if stale else self._answer()
        return Reply(
            epoch=self.epoch,
            stale=stale,
            lost=self._lost,
            answers=answers,
            turns=self._turns,
            expired=self._expired,
            closed=self.ledger.closed and not stale,
        )

    def _answer(self) -> list[Answer]:
        self._register()
        self._expire()
        for hold in self._request.holds:
            self._hold(hold)
        if self.ledger.closed and max(self.roll.values()) <= self._now:
            self.roll.clear()
            self._tell(self.ledger.open())
        return [self._do(operation) for operation in self._request.operations]

    def _are_new(self) -> bool:
        request = self._request
        if not self.epoch or (request.call_roll and request.epoch in ("", self.epoch)):
            return True
        in_use = bool(self.ledger.holders or self.ledger.lines)
        since, long_ms = self._now - self._touched, request.lease_ms * 2 / 3
        return since < -long_ms or (in_use and since > long_ms)

    def _begin(self) -> None:
        self.ledger, self.leases = Ledger(), {}
        self.ledger.closed = True
        self.epoch = f"{self._now}{self._request.replica}"
        self.roll = {self._request.replica: self._now + self._request.lease_ms}

    def _register(self) -> None:
        if self.ledger.closed and self._request.peers is not UNSET:
            self.roll[self._request.replica] = 0
            for peer in self._request.peers:
                self.roll.setdefault(peer.replica, self._now + peer.patience_ms)

    def _expire(self) -> None:
        ids = sorted(number for number, end in self.leases.items() if end <= self._now)
        ids.sort(key=lambda number: (self.leases[number], name(number)))
        # All leave before anybody is served, in ledger.lua and so here.
        closed, self.ledger.closed = self.ledger.closed, True
        for number in ids:
            self._release(number)
        self._expired = len(ids)
        if not closed:
            self._tell(self.ledger.open())

    def _release(self, number: int) -> list[Turn]:
        self.leases.pop(number, None)
        return self.ledger.release(number)

    def _hold(self, hold: Hold) -> None:
        number = self._number(hold.number)
        holder, ledger = Holder(hold.tenant, hold.account), self.ledger
        old = ledger.holders.get(number)
        if old is None or old.account != hold.account:
            closed, ledger.closed = ledger.closed, True
            self._release(number)
            ledger.closed = closed
            fits = (
                ledger.tenants.get(hold.tenant, 0) < hold.limit
                and ledger.accounts.get(hold.account, 0) < hold.account_limit
            )
            if not (closed or fits):
                self._lost.append(hold.number)
                self._tell(ledger.open())
                return
            self._tell(ledger.enter(number, holder))
        self.leases[number] = self._now + self._request.lease_ms

    def _do(self, operation: Operation) -> Answer:
        match operation:
            case Acquire():
                return self._acquire(operation)
            case Release(number):
                self._tell(self._release(self._number(number)))
                return Done()
            case Keep():
                counts, own = self.counts(), self._request.replica
                totals = sorted(what for what in counts if what.startswith(("tenant:", "account:")))
                elsewhere = [(what, counts[what] - counts[f"{own} {what}"]) for what in totals]
                return Kept([(what, others) for what, others in elsewhere if others], [])

    def _acquire(self, asked: Acquire) -> Granted | Waiting | Full:
        number, ledger = self._number(asked.number), self.ledger
        wish = Wish(asked.tenant, asked.limit, tuple(asked.pool))
        line = ledger.lines.get(asked.tenant)
        known = number in ledger.holders or (line is not None and number in line.waiters)
        if line is not None and known and line.waiters.get(number, wish) != wish:
            self._tell(ledger.restate(number, wish))
        answer: Granted | Waiting | Full
        if (holder := ledger.holders.get(number)) is not None:
            answer = Granted(holder.account)
        elif known:
            position = list(ledger.lines[asked.tenant].waiters).index(number) + 1
            answer = Waiting(position, ledger.tenants.get(asked.tenant, 0))
        else:
            answer = ledger.acquire(number, wish, queue_size=asked.queue_size)
        if not isinstance(answer, Full):
            self.leases[number] = self._now + self._request.lease_ms
        return answer

    def _tell(self, turns: list[Turn]) -> None:
        for turn in turns:
            replica, number = name(turn.number).split(":")
            mine = Turn(int(number), turn.account)
            if replica == self._request.replica:
                self._turns.append(mine)
            else:
                self.told.append((replica, mine))

    def _number(self, number: int) -> int:
        return (ord(self._request.replica) - ord("a") + 1) * REPLICA + number

    def counts(self) -> Counter[str]:
        """Return what the hash of counts has to hold."""
        counts: Counter[str] = Counter()
        for number, holder in self.ledger.holders.items():
            replica = name(number).split(":")[0]
            for what in (f"tenant:{holder.tenant}", f"account:{holder.account}"):
                counts[what] += 1
                counts[f"{replica} {what}"] += 1
        return counts


def name(number: int) -> str:
    """Return the id that Redis knows a number by."""
    replica, own = divmod(number, REPLICA)
    return f"{chr(ord('a') + replica - 1)}:{own}"

"""
Which accounts serve which models, and how far, as Zhipu's answers teach: set aside, on trial, or with fewer slots.

Holds no tasks and does no I/O; its clock is given. Every process learns for itself.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Literal, overload

from msgspec import Struct

from gateway.errors import GatewayError, QuotaExhausted
from gateway.limits.allowances import Allowances, Key
from gateway.limits.limiter import AccountLimit

EVERY_MODEL = ""
"""In place of a model in the key of a trouble: the account as a whole."""

FIRST_ASIDE_SECONDS = 60.0
MAX_ASIDE_SECONDS = 900.0
FAILURES_TO_BREAK = 5
FIRST_BREAK_SECONDS = 5.0
MAX_BREAK_SECONDS = 60.0
TRIAL_SECONDS = 5.0
"""After which a trial that has not ended is no reason to refuse another."""

Cause = Literal["refused", "failed"]


class Standing(Struct, frozen=True, kw_only=True):
    """What is out of order with an account: ``model`` empty for all; ``seconds`` 0 while it is on trial."""

    model: str
    error: GatewayError
    seconds: float


@dataclass(slots=True, kw_only=True)
class Trouble:
    """
    Why an account is not used, ``until`` when, and how often in a row it came to that.

    After ``until`` one request at a time tries it. ``trial_until`` is when another may try, though nobody else is
    left to serve.
    """

    cause: Cause
    error: GatewayError
    since: float
    until: float
    times: int
    trial_until: float = 0.0


class Health:
    """
    What Zhipu's answers say about its accounts. ``clock`` is monotonic, in seconds.

    An account that refuses is set aside, as a whole or for a model. Once its time is over one request at a time
    tries it, the rest going to other accounts. Where there is no other, one request at a time tries it from the
    start, and the rest are refused for its reason.

    An account that only fails is set aside as long as others serve, and used all the same when none does: then it
    is the platform that fails, and slots already bound what is sent there.

    ``asked_at`` is when a call was sent: what it says is not taken for news of a time after that.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._allowances = Allowances(clock)
        self._troubles: dict[Key, Trouble] = {}
        self._failures: dict[Key, int] = {}

    def pool(self, model: str, accounts: Iterable[AccountLimit]) -> "Pool":
        """Return the accounts with the limits that hold for them at each moment, at most those given."""
        pool = Pool(self, model, tuple(accounts))
        for account in pool.nominal:
            self._allowances.grant((account.name, model), account.limit)
        return pool

    def succeed(self, account: str, model: str, *, asked_at: float) -> None:
        """Take an answer as a sign that an account is in order."""
        if self._failures:
            self._failures.pop((account, model), None)
        if self._troubles:
            for key in ((account, model), (account, EVERY_MODEL)):
                trouble = self._troubles.get(key)
                if trouble is not None and asked_at >= trouble.since:
                    del self._troubles[key]

    def refuse(
        self, account: str, model: str, *, error: GatewayError, asked_at: float, seconds: float | None = None
    ) -> bool:
        """
        Set an account aside because it refuses; for ``seconds``, or twice as long each time.

        Returns whether that is news.
        """
        return self._set_aside((account, model), "refused", error, asked_at=asked_at, seconds=seconds)

    def fail(self, account: str, model: str, *, error: GatewayError, asked_at: float) -> bool:
        """
        Count a failure of Zhipu's; too many in a row set the account aside. Returns whether that is news.

        An account that refuses does so still, for all that a failed trial says, and is left alone for a moment.
        """
        key = (account, model)
        known = self._worst(key)
        if known is not None and known.cause == "refused":
            known.until = max(known.until, self._clock() + FIRST_BREAK_SECONDS)
            return False
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        if failures < FAILURES_TO_BREAK and key not in self._troubles:
            return False
        return self._set_aside(key, "failed", error, asked_at=asked_at, seconds=None)

    def crowd(self, account: str, model: str, *, in_use: int, asked_at: float) -> bool:
        """Use fewer slots of an account, because Zhipu found ``in_use`` too many. Returns whether that is news."""
        return self._allowances.lower((account, model), in_use=in_use, asked_at=asked_at)

    def trial(self, model: str, accounts: Iterable[AccountLimit]) -> AccountLimit | None:
        """
        Return the account that one request may try although all are set aside; None while another request does.

        Whoever gets it says how it went, and calls ``end_trial``.
        """
        now = self._clock()
        candidates = [(self._worst((account.name, model)), account.name) for account in accounts]
        free = [(one.since, name, one) for one, name in candidates if one is not None and one.trial_until <= now]
        if not free:
            return None
        _, name, trouble = min(free, key=lambda one: one[:2])
        trouble.trial_until = now + TRIAL_SECONDS
        return AccountLimit(name, self._allowances.of((name, model)))

    def end_trial(self, account: str, model: str, *, asked_at: float) -> None:
        """Let another request try, unless what has ended was asked before the trial."""
        trouble = self._worst((account, model))
        if trouble is not None and asked_at >= trouble.trial_until - TRIAL_SECONDS:
            trouble.trial_until = 0.0

    def why(self, model: str, accounts: Iterable[AccountLimit]) -> GatewayError | None:
        """Return why none of the accounts serves: for money's sake if that is so for any; None if one serves."""
        troubles = [self._worst((account.name, model)) for account in accounts]
        known = [trouble for trouble in troubles if trouble is not None]
        if not known or len(known) < len(troubles):
            return None
        gravest = max(known, key=lambda one: (isinstance(one.error, QuotaExhausted), one.since))
        error = copy(gravest.error).with_traceback(None)
        if error.retry_after_seconds is not None:
            error.retry_after_seconds = max(1.0, gravest.until - self._clock())
        return error

    def standings(self, account: str) -> list[Standing]:
        """Return what is out of order with an account now, its gravest first."""
        now = self._clock()
        return [
            Standing(model=model, error=trouble.error, seconds=max(0.0, trouble.until - now))
            for (name, model), trouble in sorted(self._troubles.items())
            if name == account
        ]

    def forgive(self) -> None:
        """Give every account another chance, since keys or accounts may be others now."""
        self._troubles.clear()
        self._failures.clear()

    def allowed(self, account: str, model: str, *, limit: int) -> int:
        """Return how many of an account's slots Zhipu was found to allow, whether or not it is set aside."""
        key = (account, model)
        return min(limit, self._allowances.of(key)) if key in self._allowances.learned else limit

    def is_calm(self) -> bool:
        """Tell whether every account may be used as its tier says."""
        return not (self._troubles or self._allowances.learned)

    def limits(self, model: str, accounts: tuple[AccountLimit, ...]) -> tuple[AccountLimit, ...]:
        """Return how many slots of each account may be used now, 0 of those that are set aside."""
        if not self._knows_of(model, accounts):
            return accounts
        now = self._clock()
        keys = [(account.name, model) for account in accounts]
        troubles = [self._worst(key) for key in keys]
        allowed = [
            min(account.limit, self._allowances.of(key)) for account, key in zip(accounts, keys, strict=True)
        ]
        if None in troubles:
            usable = [self._usable(one, limit, now=now) for one, limit in zip(troubles, allowed, strict=True)]
        else:
            usable = [
                limit if one is not None and one.cause == "failed" else 0
                for one, limit in zip(troubles, allowed, strict=True)
            ]
        return tuple(AccountLimit(name, limit) for (name, _), limit in zip(keys, usable, strict=True))

    def _knows_of(self, model: str, accounts: tuple[AccountLimit, ...]) -> bool:
        """Tell whether anything is out of order with these accounts, which is asked for every request."""
        troubles, learned = self._troubles, self._allowances.learned
        for account in accounts:
            key = (account.name, model)
            if key in troubles or key in learned or (account.name, EVERY_MODEL) in troubles:
                return True
        return False

    @staticmethod
    def _usable(trouble: Trouble | None, limit: int, *, now: float) -> int:
        if trouble is None:
            return limit
        return 1 if now >= trouble.until else 0

    def _set_aside(
        self, key: Key, cause: Cause, error: GatewayError, *, asked_at: float, seconds: float | None
    ) -> bool:
        now = self._clock()
        known = self._troubles.get(key)
        if known is not None and asked_at < known.since:
            return False
        times = known.times + 1 if known is not None and known.cause == cause else 1
        until = now + (pause_seconds(cause, times=times) if seconds is None else seconds)
        self._troubles[key] = Trouble(cause=cause, error=error, since=now, until=until, times=times)
        return known is None or known.error.glm_code != error.glm_code

    def _worst(self, key: Key) -> Trouble | None:
        """Return what keeps an account from serving a model: first that all of it refuses."""
        return self._troubles.get((key[0], EVERY_MODEL)) or self._troubles.get(key)


def pause_seconds(cause: Cause, *, times: int) -> float:
    """Return for how long an account is set aside when it came to that so many ``times`` in a row."""
    if cause == "refused":
        return min(MAX_ASIDE_SECONDS, FIRST_ASIDE_SECONDS * 2.0 ** (times - 1))
    return min(MAX_BREAK_SECONDS, FIRST_BREAK_SECONDS * 2.0 ** (times - 1))


class Pool(Sequence[AccountLimit]):
    """The accounts of one model with what may be used of each now; ``nominal`` has what their tiers give."""

    __slots__ = ("_health", "_model", "nominal")

    def __init__(self, health: Health, model: str, nominal: tuple[AccountLimit, ...]) -> None:
        self.nominal = nominal
        self._health = health
        self._model = model

    def __iter__(self) -> Iterator[AccountLimit]:
        return iter(self.nominal if self._health.is_calm() else self._health.limits(self._model, self.nominal))

    def __len__(self) -> int:
        return len(self.nominal)

    @overload
    def __getitem__(self, index: int) -> AccountLimit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[AccountLimit]: ...
    def __getitem__(self, index: int | slice) -> AccountLimit | Sequence[AccountLimit]:
        return tuple(self)[index]

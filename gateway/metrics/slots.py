"""The slots at one moment, as a value, and the families of metrics that are made of it when they are asked for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, get_args

from msgspec import Struct
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.catalog import Tier

Counts = Counter[tuple[Tier, str]]

TIERS: Final[tuple[Tier, ...]] = get_args(Tier)


class TenantSlots(Struct, frozen=True, kw_only=True):
    """
    One tenant's slots for one model.

    ``tier`` None: it is not known any more. ``in_use`` and ``waiting`` are those of this process,
    ``in_use_globally`` of all that share the books.
    ``oldest_wait_seconds`` 0: nobody waits here.
    """

    tenant: str
    tier: Tier | None
    model: str
    limit: int
    in_use: int
    in_use_globally: int
    waiting: int = 0
    oldest_wait_seconds: float = 0.0


class AccountSlots(Struct, frozen=True, kw_only=True):
    """
    One account's slots for one model, those of all that share the books.

    ``limit`` is what its tier gives. ``learned_limit`` is what Zhipu was found to allow, never more.
    """

    account: str
    model: str
    limit: int
    learned_limit: int
    in_use: int


class AccountState(Struct, frozen=True, kw_only=True):
    """Whether an account is used; else ``reason`` says why not, and ``aside_seconds`` for how much longer."""

    account: str
    healthy: bool = True
    reason: str = ""
    aside_seconds: float = 0.0


class Slots(Struct, frozen=True, kw_only=True):
    """
    Every slot that is held or waited for at one moment; tenants that are not listed use nothing.

    ``accounts`` has every account with every model, ``states`` every account. ``leases_expired`` counts since the
    start. ``degraded``: the shared books cannot be reached, and this process keeps to its own share.
    """

    tenants: tuple[TenantSlots, ...] = ()
    accounts: tuple[AccountSlots, ...] = ()
    states: tuple[AccountState, ...] = ()
    leases_expired: int = 0
    degraded: bool = False


class SlotFamilies(Collector):
    """
    The families that are made of the slots at the moment of a scrape.

    ``take`` gives it the moment; collecting may then run in any thread. Every tier of every model is told, zeros
    too: an alert that compares what is held here and globally needs both.
    """

    def __init__(self, registry: CollectorRegistry, *, prefix: str) -> None:
        self._prefix = prefix
        self._models: tuple[str, ...] = ()
        self._slots = Slots()
        registry.register(self)

    def know(self, models: Iterable[str]) -> None:
        """Take the models that there are, by their ids."""
        self._models = tuple(models)

    def take(self, slots: Slots) -> None:
        """Take the slots as they are now."""
        self._slots = slots

    def collect(self) -> Iterator[Metric]:
        """Return the families, as the registry asks for them."""
        slots = self._slots
        yield from self._by_tier(slots.tenants)
        yield from self._by_account(slots)
        name = f"{self._prefix}_concurrency_leases_expired"
        yield CounterMetricFamily(name, "Slots that came back because nobody renewed them", slots.leases_expired)
        yield GaugeMetricFamily(
            f"{self._prefix}_redis_degraded", "1 while the shared books cannot be reached", float(slots.degraded)
        )

    def _by_tier(self, tenants: Iterable[TenantSlots]) -> Iterator[Metric]:
        in_use, globally, waiting = Counts(), Counts(), Counts()
        longest: dict[tuple[Tier, str], float] = defaultdict(float)
        for one in tenants:
            if one.tier is not None:
                longest[one.tier, one.model] = max(longest[one.tier, one.model], one.oldest_wait_seconds)
                in_use[one.tier, one.model] += one.in_use
                globally[one.tier, one.model] += one.in_use_globally
                waiting[one.tier, one.model] += one.waiting
        yield self._tiers("slots_in_use", "Slots held by this process", in_use)
        yield self._tiers("slots_in_use_global", "Slots held by all that share the books", globally)
        yield self._tiers("waiting", "Requests of this process that wait for a slot", waiting)
        yield self._tiers("oldest_wait_seconds", "How long the first in any tenant's line has waited", longest)

    def _tiers(self, name: str, documentation: str, counts: Mapping[tuple[Tier, str], float]) -> Metric:
        family = GaugeMetricFamily(f"{self._prefix}_concurrency_{name}", documentation, labels=("tier", "model"))
        for model in self._models:
            for tier in TIERS:
                family.add_metric((tier, model), counts.get((tier, model), 0))
        return family

    def _by_account(self, slots: Slots) -> Iterator[Metric]:
        where = ("account", "model")
        in_use = GaugeMetricFamily(
            f"{self._prefix}_account_slots_in_use", "Slots held on an account", labels=where
        )
        limit = GaugeMetricFamily(f"{self._prefix}_account_limit", "Slots by the account's tier", labels=where)
        learned = GaugeMetricFamily(
            f"{self._prefix}_account_limit_learned", "Slots that Zhipu was found to allow", labels=where
        )
        for one in slots.accounts:
            labels = (one.account, one.model)
            in_use.add_metric(labels, one.in_use)
            limit.add_metric(labels, one.limit)
            learned.add_metric(labels, one.learned_limit)
        healthy = GaugeMetricFamily(
            f"{self._prefix}_account_healthy", "1 while an account is used, 0 while aside", labels=("account",)
        )
        for state in slots.states:
            healthy.add_metric((state.account,), float(state.healthy))
        yield from (in_use, limit, learned, healthy)

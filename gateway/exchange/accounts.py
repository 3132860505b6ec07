"""What calls say about the accounts that were asked, and what follows: set aside, used less, or tried again."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from typing import Literal

from msgspec.structs import replace

from gateway.errors import GatewayError, NoAccount, RateLimited
from gateway.exchange.desk import Desk
from gateway.glm.errors import BUSINESS_CODES
from gateway.limits.health import EVERY_MODEL
from gateway.limits.limiter import Scope, Slot
from gateway.record import Record, UpstreamFault

Verdict = Literal["nothing", "crowded", "crowded_by_others", "failed", "model", "account"]
"""
What a failed call says of its account: it had too much at once (of what others than this gateway send, if the call
was the only one here), it failed, or what it is of no use for.
"""

BEIJING = timezone(timedelta(hours=8))
MAX_RESET_SECONDS = 32 * 24 * 3600.0
"""Quotas are of a month at most; a date beyond is not believed."""

OK = 200
FAILURES = frozenset({"account", "connect", "disconnect", "internal", "network", "protocol", "timeout"})
BARRED_BY_STATUS: dict[int, Verdict] = {401: "account", 402: "model"}
"""For answers without a business code; a 403 may be of a firewall that dislikes the one request."""

log = logging.getLogger(__name__)


def verdict_on(fault: UpstreamFault) -> Verdict:
    """Return what a failed call says of the account that was asked."""
    row = BUSINESS_CODES.get(fault.code)
    if row is not None and row.bars != "nothing":
        return row.bars
    if row is not None and row.kind == "rate_limit":
        return "crowded"
    if row is None and fault.http_status in BARRED_BY_STATUS:
        return BARRED_BY_STATUS[fault.http_status]
    return "failed" if fault.kind in FAILURES and fault.http_status != OK else "nothing"


def aside_seconds(error: GatewayError, *, now: float) -> float | None:
    """Return how long it is until the quota comes back, None when Zhipu did not say; ``now`` is Unix time."""
    try:
        resets = datetime.fromisoformat(error.resets_at or "").replace(tzinfo=BEIJING).timestamp()
    except ValueError:
        return None
    return resets - now if 0 < resets - now <= MAX_RESET_SECONDS else None


def elsewhere(desk: Desk, scope: Scope, failed: Collection[str]) -> Scope:
    """Return what a call takes a slot of that has ``failed`` with some accounts: the others, if any has room."""
    rows = desk.limiter.snapshot()
    used = {row.name: row.everywhere for row in rows if (row.kind, row.model) == ("account", scope.model)}
    others = [one for one in scope.accounts if one.name not in failed and used.get(one.name, 0) < one.limit]
    return replace(scope, accounts=tuple(others)) if others else scope


async def take_slot(desk: Desk, scope: Scope, *, record: Record, timeout_seconds: float) -> Slot:
    """
    Return a slot of any account that is in order, or of one that is tried again because none is.

    ``record`` is told of the account, and of the place in line, also of one who got no slot. Raises the limiter's
    errors, and what Zhipu said of its accounts when none of them serves.
    """
    came_at = desk.clock() if record.span is not None else 0.0
    try:
        slot = await desk.limiter.acquire(scope, timeout_seconds=timeout_seconds)
    except NoAccount as nobody:
        slot = await try_one(desk, scope, nobody, timeout_seconds=timeout_seconds)
    except RateLimited as refused:
        record.queue_position = max(record.queue_position, refused.position)
        raise
    finally:
        if record.span is not None:
            record.span.waits.append((came_at, desk.clock()))
    record.account = slot.account
    record.queue_position = max(record.queue_position, slot.position)
    return slot


async def try_one(desk: Desk, scope: Scope, nobody: NoAccount, *, timeout_seconds: float) -> Slot:
    """Return a slot of an account that is set aside, for the one request that may try it."""
    trial = desk.health.trial(scope.model, scope.accounts)
    if trial is None:
        raise desk.health.why(scope.model, scope.accounts) or nobody from None
    try:
        return await desk.limiter.acquire(replace(scope, accounts=(trial,)), timeout_seconds=timeout_seconds)
    except BaseException:
        desk.health.end_trial(trial.name, scope.model, asked_at=desk.clock())
        raise


def note_failure(desk: Desk, slot: Slot, error: GatewayError, fault: UpstreamFault, *, asked_at: float) -> Verdict:
    """Learn from a call that failed; whoever waits hears of it at once."""
    health, account, model = desk.health, slot.account, slot.scope.model
    verdict = verdict_on(fault)
    barred = EVERY_MODEL if verdict == "account" else model
    match verdict:
        case "account" | "model":
            seconds = aside_seconds(error, now=desk.now())
            error.retry_after_seconds = seconds or error.retry_after_seconds
            news = health.refuse(account, barred, error=error, asked_at=asked_at, seconds=seconds)
        case "failed":
            news = health.fail(account, model, error=error, asked_at=asked_at)
        case "crowded":
            under_way = in_use(desk, account, model)
            news = health.crowd(account, model, in_use=under_way, asked_at=asked_at)
            verdict = "crowded" if under_way > 1 else "crowded_by_others"
        case _:
            news = False
    health.end_trial(account, model, asked_at=asked_at)
    if news:
        say = "has too much at once of" if verdict.startswith("crowded") else "is set aside for"
        log.warning("Account %s %s %s: %s", account, say, barred or "every model", error.message)
        desk.limiter.recheck(barred)
    return verdict


def in_use(desk: Desk, account: str, model: str) -> int:
    """Return how many slots of an account are in use, as far as is known."""
    rows = (
        row for row in desk.limiter.snapshot() if (row.kind, row.name, row.model) == ("account", account, model)
    )
    return max((row.everywhere for row in rows), default=1)

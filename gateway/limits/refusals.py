"""Why there is no slot, in words and codes: whether it is the caller's tier that is full, and when to return."""

from gateway.errors import NoAccount, RateLimited
from gateway.limits.ledger import Full, Waiting
from gateway.limits.limiter import Scope

RETRY_AFTER_SECONDS = 1.0
"""Where nobody knows better."""

MAX_RETRY_AFTER_SECONDS = 600.0


def full(scope: Scope, answer: Full, *, may_wait: bool, wait_seconds: float | None) -> RateLimited:
    """Return the refusal of one who may not wait, or for whom there is no place in line."""
    if may_wait:
        reason = f"{answer.waiting} of your requests are waiting already."
        return refusal(scope, reason, held=answer.held, code="queue_full", wait_seconds=wait_seconds)
    return refusal(scope, "None is free now.", held=answer.held, wait_seconds=wait_seconds)


def too_long(scope: Scope, answer: Waiting, *, wait_seconds: float) -> RateLimited:
    """Return the refusal of one who would wait in vain."""
    reason = f"At place {answer.position} in line one is likely to become free in {wait_seconds:.3g} s, too late."
    refused = refusal(scope, reason, held=answer.held, code="wait_too_long", wait_seconds=wait_seconds)
    refused.position = answer.position
    return refused


def too_late(
    scope: Scope, timeout_seconds: float, *, position: int, held: int, wait_seconds: float | None
) -> RateLimited:
    """Return the refusal of one who has waited for as long as it may."""
    reason = f"None became free within {timeout_seconds:.3g} s."
    refused = refusal(scope, reason, held=held, wait_seconds=wait_seconds)
    refused.position = position
    return refused


def refusal(
    scope: Scope, reason: str, *, held: int, wait_seconds: float | None, code: str | None = None
) -> RateLimited:
    """Return a refusal that names the caller's tier only where it is the tier that is full."""
    full_is = (
        f"Your tier allows {scope.limit} requests at once for {scope.model}."
        if held >= scope.limit
        else f"The gateway itself has no free slot for {scope.model}; your tier would allow more."
    )
    return RateLimited(
        f"{full_is} {reason} Try again shortly.",
        code=code,
        retry_after_seconds=min(MAX_RETRY_AFTER_SECONDS, wait_seconds or RETRY_AFTER_SECONDS),
    )


def nobody_serves(scope: Scope) -> NoAccount:
    """Return the refusal where every account is left alone."""
    return NoAccount(
        f"No account of the gateway's serves {scope.model} at the moment. Try again shortly.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )

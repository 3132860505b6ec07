"""What is tried again, and when: only what certainly was not charged, and while the caller has patience."""

from msgspec import Struct

from gateway.errors import GatewayError, UpstreamUnreachable
from gateway.exchange.accounts import Verdict
from gateway.exchange.desk import Desk
from gateway.glm.errors import BUSINESS_CODES
from gateway.record import UpstreamFault

FIRST_BACKOFF_SECONDS = 0.25
MAX_BACKOFF_SECONDS = 4.0
GATEWAY_TIMEOUT = 504


class Tries(Struct, eq=False):
    """How often a call has been tried, by what came of it, and when to try it again."""

    desk: Desk
    failed: int = 0
    crowded: int = 0

    def pause_seconds(
        self, error: GatewayError, fault: UpstreamFault, verdict: Verdict, *, others: bool
    ) -> float | None:
        """
        Return after how long to try again, None when that is no use.

        What an account refuses goes to others at once, if any are left; what it has too much of waits in line
        again. Neither counts against ``max_retries``: the one ends with the accounts, the other with the caller's
        patience, or after twice as many tries when nothing else of ours is under way that could end.
        """
        if verdict in ("account", "model"):
            return 0.0 if others else None
        if verdict in ("crowded", "crowded_by_others"):
            if verdict == "crowded_by_others" and self.crowded >= 2 * self.desk.policy.max_retries:
                return None
            self.crowded += 1
            return self._backoff_seconds(self.crowded)
        if self.failed == self.desk.policy.max_retries or not may_retry(error, fault):
            return None
        self.failed += 1
        return self._backoff_seconds(self.failed)

    def _backoff_seconds(self, times: int) -> float:
        backoff_seconds = min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** (times - 1))
        return backoff_seconds * (0.5 + self.desk.jitter() / 2)


def may_retry(error: GatewayError, fault: UpstreamFault) -> bool:
    """Tell whether the same call may succeed soon; only what certainly was not charged is tried again."""
    if isinstance(error, UpstreamUnreachable):
        return True
    if fault.code in BUSINESS_CODES:
        return BUSINESS_CODES[fault.code].retryable
    return fault.http_status >= 500 and fault.http_status != GATEWAY_TIMEOUT

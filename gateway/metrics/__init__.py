"""
What Prometheus sees of this process, and the state of the slots as one value.

Every collector is declared here, once, on the registry that is given; no other package declares one.
"""

from gateway.metrics.families import Metrics
from gateway.metrics.slots import AccountSlots, AccountState, Slots, TenantSlots
from gateway.metrics.state import RecentFailures, State, streams_of

__all__ = [
    "AccountSlots",
    "AccountState",
    "Metrics",
    "RecentFailures",
    "Slots",
    "State",
    "TenantSlots",
    "streams_of",
]

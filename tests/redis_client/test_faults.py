"""Every fault of Redis has a kind that metrics know, and is caught as one."""

import pytest
from redis import exceptions as redis

from gateway.metrics.redis import ERRORS
from gateway.redis_client.faults import FAULTS, kind_of


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (TimeoutError(), "timeout"),
        (redis.TimeoutError(), "timeout"),
        (redis.ConnectionError(), "connect"),
        (redis.AuthenticationError(), "connect"),
        (redis.RedisClusterException(), "connect"),
        (ConnectionRefusedError(), "connect"),
        (redis.BusyLoadingError(), "loading"),
        (redis.ReadOnlyError(), "readonly"),
        (redis.OutOfMemoryError(), "full"),
        (redis.ResponseError(), "protocol"),
        (redis.InvalidResponse(), "protocol"),
    ],
    ids=repr,
)
def test_fault_has_a_kind(fault: Exception, kind: str) -> None:
    assert isinstance(fault, FAULTS)
    assert kind == kind_of(fault)
    assert kind in ERRORS

"""What replicas share through Redis; imported only where there is one, since its client takes long to import."""

from gateway.app.terms import unusable
from gateway.limits.redis import RedisLimiter
from gateway.recall.link import Link
from gateway.recall.redis import RedisRecall
from gateway.redis_client.address import AddressError
from gateway.redis_client.observer import RedisObserver
from gateway.settings import Settings


def create_shared_limiter(settings: Settings, *, url: str, observer: RedisObserver | None) -> RedisLimiter:
    """Return the limiter that counts with those of other replicas; raise SettingsError."""
    try:
        return RedisLimiter.create(
            url,
            queue_size=settings.queue_size,
            lease_seconds=settings.lease_seconds,
            on_outage=settings.redis.on_outage,
            observer=observer,
        )
    except AddressError as error:
        raise unusable(settings, f"redis.url: {error}") from None


def create_shared_link(settings: Settings, *, url: str, observer: RedisObserver | None) -> Link:
    """Return the way to where texts are remembered for all replicas; raise SettingsError."""
    try:
        return Link.create(url, observer=observer)
    except AddressError as error:
        raise unusable(settings, f"redis.url: {error}") from None


def create_shared_recall(link: Link, *, memory: str, seconds: float) -> RedisRecall:
    """Return one of the memories there."""
    return RedisRecall(link, memory=memory, seconds=seconds)

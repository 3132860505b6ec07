"""
A proof of the limiter that anybody can run: real processes, a real Redis, and all the harm that happens to such.

Starts what it harms and ends what it started. The simulator's own count of requests in flight is the judge.
"""

from gateway.torture.harms import HARMS
from gateway.torture.redis import REDIS_SERVER, StartError
from gateway.torture.report import Report
from gateway.torture.trial import Trial
from gateway.torture.world import RedisKind, World

__all__ = ["HARMS", "REDIS_SERVER", "RedisKind", "Report", "StartError", "Trial", "World"]

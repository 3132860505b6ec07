"""
Running: sockets, signals, files that change, the drain at the end, and the port that Prometheus scrapes.

Carries any ASGI application. Reads no settings, knows no route and no model.
"""

from gateway.server.exposition import exposition
from gateway.server.lifecycle import ASGIApp, Lifecycle
from gateway.server.reload import reloading
from gateway.server.run import bind, run, serve

__all__ = ["ASGIApp", "Lifecycle", "bind", "exposition", "reloading", "run", "serve"]

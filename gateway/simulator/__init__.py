"""
A stand-in for Zhipu's platform: its paths, wire shapes, quirks and refusals, for development and tests.

Knows nothing of the gateway; imports only Zhipu's wire types.
"""

from gateway.simulator.accounts import DEMO_ACCOUNTS, DEMO_KEY, Account
from gateway.simulator.app import Simulator, create_simulator
from gateway.simulator.platform import Wire
from gateway.simulator.realtime.habits import Habits
from gateway.simulator.serving import Running, running, serve

__all__ = [
    "DEMO_ACCOUNTS",
    "DEMO_KEY",
    "Account",
    "Habits",
    "Running",
    "Simulator",
    "Wire",
    "create_simulator",
    "running",
    "serve",
]

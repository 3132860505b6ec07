"""
Settings: what the operator says in a TOML file and in the environment, as one checked and frozen tree.

Read by the composition root and handed down in narrow values; nothing below it imports this package.
"""

from gateway.settings.changes import needing_restart
from gateway.settings.files import Fingerprint, fingerprint, gone
from gateway.settings.load import load
from gateway.settings.problems import SettingsError
from gateway.settings.schema import (
    Account,
    Chat,
    Embeddings,
    Jwt,
    Logs,
    Redis,
    Settings,
    Speech,
    Telemetry,
    Upstream,
)
from gateway.settings.secret import Secret

__all__ = [
    "Account",
    "Chat",
    "Embeddings",
    "Fingerprint",
    "Jwt",
    "Logs",
    "Redis",
    "Secret",
    "Settings",
    "SettingsError",
    "Speech",
    "Telemetry",
    "Upstream",
    "fingerprint",
    "gone",
    "load",
    "needing_restart",
]

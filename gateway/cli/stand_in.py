"""The simulator in GLM's place, where there is no account at Zhipu."""

from msgspec.structs import replace

from gateway.auth import Tenant, digest
from gateway.cli.configuration import DEMO_KEY
from gateway.settings import Account, Secret, Settings
from gateway.simulator import DEMO_ACCOUNTS, create_simulator

__all__ = ["create_simulator", "on_simulator"]


def on_simulator(settings: Settings, *, port: int) -> Settings:
    """Point the settings at the simulator, with its largest account, so that tenants' tiers show."""
    account = max(DEMO_ACCOUNTS, key=lambda one: one.tier)
    tenants = settings.tenants or (Tenant(name="demo", key_sha256=(digest(DEMO_KEY),), tier="V3"),)
    late = () if settings.simulator else ("There is an account now; restart the gateway to use it.",)
    return replace(
        settings,
        upstream_url=f"http://127.0.0.1:{port}/api/paas/v4",
        realtime_url=f"ws://127.0.0.1:{port}/api/paas/v4/realtime",
        accounts=(Account(name="simulator", api_key=Secret(account.key), tier=account.tier),),
        tenants=tenants,
        warnings=(*settings.warnings, *late),
    )

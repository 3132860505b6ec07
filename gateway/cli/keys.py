"""``glm-gateway keys``: client keys, which the gateway knows only by their hashes."""

import secrets
from typing import get_args

import click
import msgspec

from gateway.auth import digest
from gateway.auth.callers import Name
from gateway.catalog import Tier

KEY_BYTES = 32


def _checked(context: click.Context, parameter: click.Parameter, name: str) -> str:
    del context, parameter
    try:
        return msgspec.convert(name, Name)
    except msgspec.ValidationError:
        raise click.BadParameter("must be 1 to 64 letters, digits, spaces or ._@-.") from None


@click.group()
def keys() -> None:
    """Make keys for callers of the gateway."""


@keys.command()
@click.option("--name", default="team-a", show_default=True, callback=_checked, help="Name of the tenant.")
@click.option("--tier", type=click.Choice(get_args(Tier)), default="V1", show_default=True)
def new(name: str, tier: Tier) -> None:
    """Print a new key, once, and its hash for the configuration."""
    key = f"sk-glm-{secrets.token_urlsafe(KEY_BYTES)}"
    click.echo(f"{key}\n")
    click.echo("Give the key to the caller now; it is kept nowhere. For the configuration file:\n", err=True)
    click.echo(f'[[tenants]]\nname = "{name}"\nkey_sha256 = ["{digest(key)}"]\ntier = "{tier}"')

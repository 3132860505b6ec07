"""``glm-gateway slots``: who holds and waits for what, as a table that stays up to date."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

import click
import httpx
import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.metrics import AccountSlots, AccountState, Slots, TenantSlots

REFRESH_SECONDS = 0.5
TIMEOUT_SECONDS = 5.0
PIPED_COLUMNS = 200


@click.command()
@click.option("--url", default="http://127.0.0.1:9464", show_default=True, help="The metrics port of a gateway.")
@click.option("--once", is_flag=True, help="Print the table once; for scripts.")
def slots(url: str, *, once: bool) -> None:
    """Show the slots by tenant, model and account: in use, limit, waiting, longest wait."""
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        console = Console(width=None if sys.stdout.isatty() else PIPED_COLUMNS)
        first = view(read(client, url))
        if once:
            console.print(first)
            return
        with suppress(KeyboardInterrupt), Live(first, console=console, screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(REFRESH_SECONDS)
                live.update(view(read(client, url)), refresh=True)


def read(client: httpx.Client, url: str) -> Slots:
    """Ask a gateway for its slots; raise ClickException when there is none, or none that can tell."""
    try:
        answer = client.get(f"{url.rstrip('/')}/slots")
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Slots)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        raise click.ClickException(
            f"No gateway tells its slots at {url} ({type(error).__name__}). "
            "Give the address of its metrics port with --url; GATEWAY_METRICS_PORT says which port."
        ) from error


def view(now: Slots) -> RenderableType:
    """Return what is shown: a table for tenants, one for accounts, and what is out of order."""
    return Group(*_warnings(now), _tenants(now.tenants), _accounts(now))


def _warnings(now: Slots) -> Iterator[Text]:
    if now.degraded:
        yield Text("The shared books cannot be reached: this gateway keeps to its own share.", style="yellow")
    if now.leases_expired:
        yield Text(f"{now.leases_expired} slots came back because nobody renewed them.", style="dim")


def _tenants(rows: Iterable[TenantSlots]) -> Table:
    table = _table("Tenant", "Tier", "Model", "In use", "Everywhere", "Limit", "Waiting", "Longest wait")
    for row in sorted(rows, key=lambda one: (one.tenant, one.model)):
        table.add_row(
            Text(row.tenant),
            row.tier or "?",
            row.model,
            str(row.in_use),
            _used(row.in_use_globally, row.limit),
            str(row.limit),
            Text(str(row.waiting), style="yellow" if row.waiting else ""),
            f"{row.oldest_wait_seconds:.1f} s" if row.waiting else "",
        )
    if not table.row_count:
        table.add_row(Text("nobody holds or waits for a slot", style="dim"))
    return table


def _accounts(now: Slots) -> Table:
    table = _table("Account", "State", "Model", "In use", "Limit", "Learned")
    used: dict[str, list[AccountSlots]] = {state.account: [] for state in now.states}
    for row in sorted(now.accounts, key=lambda one: (one.account, one.model)):
        if row.in_use or row.learned_limit < row.limit:
            used.setdefault(row.account, []).append(row)
    states = {state.account: state for state in now.states}
    for account, rows in used.items():
        state = _state(states.get(account, AccountState(account=account)))
        if not rows:
            table.add_row(Text(account), state)
        for row in rows:
            learned = Text(str(row.learned_limit), style="yellow") if row.learned_limit < row.limit else ""
            in_use = _used(row.in_use, row.learned_limit)
            table.add_row(Text(account), state, row.model, in_use, str(row.limit), learned)
    return table


def _state(state: AccountState) -> Text:
    if state.healthy:
        return Text("in use", style="green")
    return Text(f"aside for {state.aside_seconds:.0f} s: {state.reason}", style="red")


def _used(in_use: int, limit: int) -> Text:
    return Text(str(in_use), style="bold red" if in_use >= limit else "")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = column in {"In use", "Everywhere", "Limit", "Waiting", "Learned", "Longest wait"}
        table.add_column(column, justify="right" if numeric else "left")
    return table

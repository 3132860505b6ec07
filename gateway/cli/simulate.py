"""``glm-gateway simulate``: only the stand-in for Zhipu."""

import click

from gateway.simulator import DEMO_KEY, Wire, create_simulator
from gateway.simulator import serve as serve_simulator


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8090, show_default=True)
@click.option(
    "--wire",
    type=click.Choice(["2025", "2026"]),
    default="2026",
    show_default=True,
    help="The year whose shapes are sent.",
)
def simulate(host: str, port: int, wire: Wire) -> None:
    """Stand in for Zhipu's platform until interrupted."""
    click.echo(f"Zhipu's stand-in: http://{host}:{port}/api/paas/v4")
    click.echo(f"ZHIPU_API_KEY={DEMO_KEY} is the key of its demo account, tier V0.")
    serve_simulator(create_simulator(wire=wire), host=host, port=port)

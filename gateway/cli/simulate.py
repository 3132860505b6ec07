"""``glm-gateway simulate``: only the stand-in for Zhipu."""

import click

from gateway.simulator import DEMO_KEY, create_simulator
from gateway.simulator import serve as serve_simulator


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8090, show_default=True)
def simulate(host: str, port: int) -> None:
    """Stand in for Zhipu's platform until interrupted."""
    click.echo(f"Zhipu's stand-in: http://{host}:{port}/api/paas/v4")
    click.echo(f"ZHIPU_API_KEY={DEMO_KEY} is the key of its demo account, tier V0.")
    serve_simulator(create_simulator(), host=host, port=port)

"""``python -m gateway.simulator``: the stand-in alone, with its demo accounts."""

import click

from gateway.simulator.accounts import DEMO_KEY
from gateway.simulator.app import create_simulator
from gateway.simulator.platform import Wire
from gateway.simulator.serving import serve


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8090, show_default=True)
@click.option("--wire", type=click.Choice(["2025", "2026"]), default="2026", show_default=True)
def main(host: str, port: int, wire: Wire) -> None:
    """Stand in for Zhipu's platform until interrupted."""
    click.echo(f"Zhipu's stand-in: http://{host}:{port}/api/paas/v4 with the key {DEMO_KEY}")
    serve(create_simulator(wire=wire), host=host, port=port)


if __name__ == "__main__":
    main()

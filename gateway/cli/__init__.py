"""
The command line: one module per command, and nothing that the gateway itself needs.

Speaks to people. What it starts is built by ``app`` and run by ``server``.
"""

import click

from gateway import __version__
from gateway.cli.check import check
from gateway.cli.demo import demo
from gateway.cli.keys import keys
from gateway.cli.serve import serve
from gateway.cli.simulate import simulate
from gateway.cli.slots import slots


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="glm-gateway")
def main() -> None:
    """Run software written for OpenAI on Zhipu's GLM models."""


for command in (serve, simulate, demo, check, keys, slots):
    main.add_command(command)

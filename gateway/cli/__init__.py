"""
The command line: one module per command, and nothing that the gateway itself needs.

Speaks to people. What it starts is built by ``app`` and run by ``server``.
"""

import importlib

import click

from gateway import __version__

COMMANDS = ("serve", "simulate", "demo", "check", "keys", "slots", "torture")


class Commands(click.Group):
    """The commands, each imported when it is asked for: serving needs nothing of what trying and checking need."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Return their names."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Return the command of that name, None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"gateway.cli.{cmd_name}"), cmd_name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="glm-gateway")
def main() -> None:
    """Run software written for OpenAI on Zhipu's GLM models."""

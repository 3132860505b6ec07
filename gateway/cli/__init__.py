"""
The command line: one module per command, and nothing that the gateway itself needs.

Speaks to people. What it starts is built by ``app`` and run by ``server``.
"""

import gc
import importlib
import sys

import click

from gateway import __version__

# httpx brings a command line along, and with it rich and its highlighters: 0.12 s of a start and 4 MiB. None says
# that it is not there, which httpx is prepared for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

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
        gc.disable()  # Nothing that is imported is garbage, and looking for some takes 6 % of a start.
        command: click.Command = getattr(importlib.import_module(f"gateway.cli.{cmd_name}"), cmd_name)
        gc.enable()
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="glm-gateway")
def main() -> None:
    """Run software written for OpenAI on Zhipu's GLM models."""

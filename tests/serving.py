"""The gateway in a process of its own, started from the command line."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

FREE_PORTS = {"GATEWAY_PORT": "0", "GATEWAY_METRICS_PORT": "0"}


class Served:
    """A gateway, and what it has printed and logged so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.printed = ""
        self.logged = ""

    def read_until(self, pattern: str) -> str:
        """Read standard output up to a line that matches from its beginning; gives that line."""
        line, text = read_until(self.process.stdout, pattern)
        self.printed += text
        return line

    def read_log_until(self, pattern: str) -> str:
        """Read the log up to a line that has a match; gives that line."""
        line, text = read_until(self.process.stderr, f".*{pattern}")
        self.logged += text
        return line

    def hang_up(self) -> None:
        """Ask it to read its configuration again."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> tuple[int, str]:
        """Ask it to stop; gives the exit code and the log."""
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=20)
        return self.process.returncode, self.logged + log


def read_until(stream: IO[str] | None, pattern: str) -> tuple[str, str]:
    """Read up to a line that matches; gives that line, and all that was read."""
    assert stream is not None
    text = ""
    for line in stream:
        text += line
        if re.match(pattern, line):
            return line, text
    raise AssertionError(f"It never said {pattern!r}, but: {text}")


@contextmanager
def serving(environ: Mapping[str, str], *options: str) -> Iterator[Served]:
    """Run ``glm-gateway serve`` on free ports, with nothing of ours in the environment but what is said."""
    inherited = {name: value for name, value in os.environ.items() if name not in own_variables()}
    command = [sys.executable, "-m", "gateway", "serve", *options]
    with subprocess.Popen(
        command,
        env={**inherited, **FREE_PORTS, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def own_variables() -> list[str]:
    """Give the names of our variables that this process has."""
    return [name for name in os.environ if name.startswith("GATEWAY_") or name == "ZHIPU_API_KEY"]

"""What a process inherits: three standard streams, of which any may be gone, and a limit of open files."""

import os
import signal
import sys
from contextlib import suppress

import click

STANDARD_STREAMS = 3


def fill_standard_streams() -> None:
    """
    Open the null device in place of every standard stream that is closed.

    A socket would get its number otherwise, and what libraries complain of would be sent to a caller.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < STANDARD_STREAMS:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def raise_file_limit() -> None:
    """
    Raise the limit of open files to what this process may allow itself.

    Where it is 1024, as on most machines, it ends at 500 streams, and the system takes no more without a word.
    """
    if sys.platform == "win32":  # it has no such limit
        return
    import resource  # noqa: PLC0415 - not on Windows

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS says that there is no limit, and allows less
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def ignore_hangups() -> None:
    """Take no SIGHUP for the end while there is nothing yet that could be read again, or nothing any more."""
    if sys.platform != "win32":  # it has no such signal
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def tell(text: str) -> None:
    """Print for whoever started this; nobody has to read it, then or later."""
    try:
        click.echo(text)
    except OSError:  # a pipe that was closed, or a disk that is full
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)

"""Writes of one turn of the loop go out together, and nothing is lost at the end."""

import asyncio
from typing import cast

from gateway.server.corked import Corked


class Transport:
    """Remembers what was done to it, in order."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


def corked() -> tuple[Corked, Transport]:
    transport = Transport()
    return Corked(cast("asyncio.Transport", transport), loop=asyncio.get_running_loop()), transport


async def test_writes_once_when_several_pieces_come_in_one_turn() -> None:
    """The head and the body of an answer are one packet."""
    cork, transport = corked()

    cork.write(b"head ")
    cork.write(b"body")
    await asyncio.sleep(0)

    assert [b"head body"] == transport.done


async def test_writes_again_when_a_later_turn_brings_more() -> None:
    """Every event of a stream goes out as it comes."""
    cork, transport = corked()

    for piece in (b"one", b"two"):
        cork.write(piece)
        await asyncio.sleep(0)

    assert [b"one", b"two"] == transport.done


async def test_writes_what_is_left_when_it_is_closed() -> None:
    """Closing right after a write loses nothing."""
    cork, transport = corked()

    cork.write(b"last words")
    cork.close()
    await asyncio.sleep(0)

    assert [b"last words", "closed"] == transport.done
    assert cork.is_closing()

"""What a replica and the books in Redis say to each other, in msgpack; ledger.lua is the other side."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from gateway.limits.ledger import Full, Granted, Turn, Waiting
from gateway.limits.limiter import AccountLimit


class Acquire(Struct, frozen=True, array_like=True, tag="acquire"):
    """Asks for a slot, or again for news of one that was asked for; at most ``queue_size`` may wait."""

    number: int
    tenant: str
    limit: int
    pool: Sequence[AccountLimit]
    queue_size: int


class Release(Struct, frozen=True, array_like=True, tag="release"):
    """Gives back a slot or a place in line, if there is one."""

    number: int


class Keep(Struct, frozen=True, array_like=True, tag="keep"):
    """Keeps the books from being forgotten."""


Operation: TypeAlias = Acquire | Release | Keep


class Hold(Struct, frozen=True, array_like=True):
    """States that a slot is held, and so renews its lease."""

    number: int
    tenant: str
    limit: int
    account: str
    account_limit: int


class Peer(Struct, frozen=True, array_like=True):
    """Another replica, and for how long new books await it."""

    replica: str
    patience_ms: int


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What one replica wants of one model's books, done in one step: first ``holds``, then ``operations``.

    ``epoch`` is the name of the books as last heard, empty if never. ``peers``, if set, registers the replica with
    these books, and then ``holds`` is all that it holds. ``call_roll`` has all others register as well, unless the
    books were begun anew since ``epoch``. ``replicas`` is how many share the limits.
    """

    model: str
    replica: str
    replicas: int
    epoch: str
    lease_ms: int
    holds: Sequence[Hold]
    operations: Sequence[Operation]
    peers: Sequence[Peer] | UnsetType = UNSET
    call_roll: bool = False


class Done(Struct, frozen=True, array_like=True, tag="done"):
    """There is nothing to say."""


class Kept(Struct, frozen=True, array_like=True, tag="kept"):
    """
    How many slots other replicas hold, and the most beyond its share that each is known to have held.

    ``elsewhere`` is by "tenant:<name>" and "account:<name>", without those of which nobody else holds any. In
    ``marks`` names, "<replica> tenant:<name>" and "<replica> account:<name>", and numbers alternate.
    """

    elsewhere: list[tuple[str, int]]
    marks: list[str]


Answer: TypeAlias = Granted | Waiting | Full | Done | Kept


class Reply(Struct, frozen=True, kw_only=True):
    """
    What the books answer, one of ``answers`` for each operation.

    ``stale``: these are other books than the replica knows; nothing was done, and it has to register. ``lost`` are
    the numbers of holds that the books no longer grant. ``expired`` counts leases, of any replica, that ran out.
    ``closed``: the roll is being called, so that nobody was admitted, however many slots are free.
    """

    epoch: str
    stale: bool
    lost: list[int]
    answers: list[Answer]
    turns: list[Turn]
    expired: int
    closed: bool = False


encode = msgspec.msgpack.Encoder().encode
decode_reply = msgspec.msgpack.Decoder(Reply).decode

"""Large answers: 64 vectors of 2048 numbers, asked for as base64, beside LiteLLM's proxy on the same upstream."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from .load import requests_per_second
from .machine import peak_bytes
from .peers.litellm import install_litellm, litellm
from .processes import Bench, Server
from .report import Row
from .wire import EMBEDDINGS_PATH, UPSTREAM_BASE, embeddings_answer, embeddings_body

CONNECTIONS = 8
ROUND_SECONDS = 6.0
WARM_UP_SECONDS = 3.0
MEBIBYTE = 1024 * 1024

# An answer is 0.7 MiB and hundreds are given in a round: one that is kept each time is far above this. The
# allocator's own ups and downs are 10 to 30 MiB until some 1,500 answers have been given.
MEMORY_TARGET = 32

RATE = Row(measure="64 embeddings of 2048", unit="1/s, ratio to LiteLLM", bound="at least", target=8)
MEMORY = Row(
    measure="peak memory, growth in the second half of the requests",
    unit="MiB",
    bound="at most",
    target=MEMORY_TARGET,
)


def embeddings(bench: Bench) -> list[Row]:
    """Measure how many a second, and how much memory that takes at its peak, once and after twice as many."""
    with nginx_of_vectors(bench) as upstream:
        with bench.gateway(upstream=upstream) as gateway:
            rate, first, peak = rate_and_memory(bench, replace(gateway, path=EMBEDDINGS_PATH))
        rates = replace(RATE, gateway=rate)
        memory = replace(MEMORY, gateway=peak, result=None if peak is None else peak - (first or 0.0))
        if bench.smoke:
            return [replace(rates, skipped="LiteLLM, which is not installed only to see that all works"), memory]
        try:
            program = install_litellm(bench.directory)
        except (OSError, subprocess.SubprocessError):
            return [replace(rates, skipped="LiteLLM cannot be installed"), memory]
        with litellm(bench, program=program, upstream=upstream) as other:
            their_rate, _, their_peak = rate_and_memory(bench, replace(other, path=EMBEDDINGS_PATH))
    note = "both are asked for base64; LiteLLM answers the upstream's own numbers"
    return [
        replace(rates, reference=their_rate, result=rate / their_rate, note=note),
        replace(memory, reference=their_peak),
    ]


def rate_and_memory(bench: Bench, server: Server) -> tuple[float, float | None, float | None]:
    """Return the better rate of two rounds, and the peak of memory after each in MiB, None where unknown."""

    def load(seconds: float) -> float:
        return requests_per_second(
            server,
            seconds=seconds,
            directory=bench.directory,
            body=embeddings_body(),
            connections=CONNECTIONS,
        )

    load(bench.amount(WARM_UP_SECONDS, least=0.2))
    seconds = bench.amount(ROUND_SECONDS, least=0.3)
    rounds = [(load(seconds), peak_bytes(server.process_id)) for _ in range(2)]
    first, last = [None if peak is None else peak / MEBIBYTE for _, peak in rounds]
    return max(rate for rate, _ in rounds), first, last


@contextmanager
def nginx_of_vectors(bench: Bench) -> Iterator[Server]:
    """Run an nginx that answers everything with the same vectors, from a file: they are too long for its own."""
    answer = bench.directory / "vectors.json"
    bench.directory.chmod(0o755)  # where root starts nginx, it reads as nobody
    answer.write_bytes(embeddings_answer(random.Random(1)))  # noqa: S311 - the same numbers every time
    location = f"""
        root {bench.directory}; default_type application/json; error_page 405 =200 /{answer.name};
        location / {{ return 405; }} location = /{answer.name} {{ }}"""
    with bench.nginx_upstream(location=location, name="vectors") as server:
        yield replace(server, path=f"{UPSTREAM_BASE}/embeddings")

"""Two gateways behind one address: whether anything is lost or shared between their processes."""

from contextlib import ExitStack

from msgspec.structs import replace

from .load import Rounds, requests_per_second
from .processes import Bench
from .report import Row

ROUNDS = 4
ROUND_SECONDS = 3.0
WARM_UP_SECONDS = 1.0

TWO = Row(
    measure="two processes behind one address, of one", unit="1/s, ratio to one", bound="at least", target=0.95
)
NOTE = "both share one core: at a ratio of 1 they share and lose nothing else, and two cores carry twice as much"


def two_processes(bench: Bench) -> list[Row]:
    """
    Measure two gateways on the measured core, and a single one, each behind an nginx of the same kind.

    In turns, like everything. nginx balances beside the load, so that the core is the gateways' alone.
    """
    warm_up_seconds = bench.amount(WARM_UP_SECONDS, least=0.2)
    seconds = bench.amount(ROUND_SECONDS, least=0.3)
    with ExitStack() as stack:
        upstream = stack.enter_context(bench.nginx_upstream())
        first, second, single = (stack.enter_context(bench.gateway(upstream=upstream)) for _ in range(3))
        before_one = stack.enter_context(bench.nginx_balancer(single, name="before-one"))
        before_two = stack.enter_context(bench.nginx_balancer(first, second, name="before-two"))
        one = Rounds(bench, before_one, behind=(single,))
        two = Rounds(bench, before_two, behind=(first, second))
        for rounds in (one, two):
            requests_per_second(rounds.server, seconds=warm_up_seconds, directory=bench.directory)
        for _ in range(bench.amount(ROUNDS, least=1)):
            one.run(seconds=seconds)
            two.run(seconds=seconds)
    computed = f"a request computes for {two.computed_microseconds:.0f} µs, in one process for"
    note = f"{NOTE}; {computed} {one.computed_microseconds:.0f} µs"
    return [replace(TWO, gateway=two.best, reference=one.best, result=two.best / one.best, note=note)]

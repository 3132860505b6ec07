"""What a trial has shown."""

from collections import Counter

from msgspec import Struct

from gateway.torture.callers import Tally
from gateway.torture.judge import Violation


class Report(Struct, frozen=True, kw_only=True):
    """
    What a trial has shown. Times are in seconds.

    ``harms`` counts what was done, by name, ``kills`` the gateways killed among it. ``leaked`` are slots that
    nobody uses and nobody can have. ``refused_by_simulator`` are answers 1302. ``excesses`` are how long after a
    waking there was still more under way than may be. ``longest_recovery``, ``recovered_from`` what, is the
    longest that it took from the end of a harm until every gateway served requests by shared books again.
    """

    seed: int
    seconds: float
    tally: Tally
    harms: Counter[str]
    kills: int
    violations: list[Violation]
    leaked: int
    refused_by_simulator: int
    excesses: list[float]
    longest_recovery: float
    recovered_from: str

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not (
            self.violations or self.leaked or self.refused_by_simulator or self.tally.hung or self.tally.unexpected
        )

    def lines(self) -> list[tuple[str, str]]:
        """Return what to print: names and values."""
        tally = self.tally
        refused = ", ".join(f"{number} {code}" for code, number in sorted(tally.refused.items()))
        excess = (
            f"at most {max(self.excesses) * 1000:.0f} ms, {len(self.excesses)} times" if self.excesses else "none"
        )
        return [
            ("requests done", f"{tally.done} ({tally.done / self.seconds:.0f}/s)"),
            ("hung up by their callers", str(tally.left)),
            ("refused in time", f"{tally.refused.total()}" + (f" ({refused})" if refused else "")),
            ("ended with their process, or their slot", f"{tally.cut}, {tally.lost}"),
            ("harms survived", ", ".join(f"{n} × {name}" for name, n in sorted(self.harms.items())) or "none"),
            ("kills survived", str(self.kills)),
            ("violations", str(len(self.violations))),
            ("leaked slots", str(self.leaked)),
            ("hung requests", str(tally.hung)),
            ("answers that must not be", str(tally.unexpected.total())),
            ("answers 1302 of the simulator", str(self.refused_by_simulator)),
            ("longest request", f"{tally.longest_seconds:.1f} s"),
            (
                "longest recovery",
                f"{self.longest_recovery:.2f} s, {self.recovered_from}" if self.recovered_from else "–",
            ),
            ("excess after a pause", excess),
        ]

    def complaints(self) -> list[str]:
        """Return what was broken, one sentence each."""
        return [
            *(f"{one.at_seconds:.2f} s: {one.what}." for one in self.violations),
            *(f"{number} × {what}." for what, number in self.tally.unexpected.items()),
        ]

"""``glm-gateway torture``: a proof that the limits hold, whatever is done to gateways and Redis."""

import asyncio
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import get_args

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.torture import HARMS, REDIS_SERVER, RedisKind, Report, StartError, Trial, World

REFRESH_SECONDS = 0.25
CANNOT_START = 2
SAID_LINES = 30


@click.command()
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=120.0,
    show_default=True,
    help="How long harm is done; each is done once at least.",
)
@click.option("--seed", type=int, help="Decides what is done to whom; a random one, which the report tells.")
@click.option(
    "--callers", type=click.IntRange(min=1), default=240, show_default=True, help="How many call at once."
)
@click.option("--gateways", type=click.IntRange(1, 9), default=3, show_default=True, help="How many they call.")
@click.option("--redis", type=click.Choice(get_args(RedisKind)), default="single", show_default=True)
@click.option("--harm", "harms", multiple=True, type=click.Choice(list(HARMS)), help="Do only this; repeatable.")
@click.option("--no-harm", is_flag=True, help="Do none; the simulator then answers 1302 to what is too much.")
def torture(
    *,
    seconds: float,
    seed: int | None,
    callers: int,
    gateways: int,
    redis: RedisKind,
    harms: tuple[str, ...],
    no_harm: bool,
) -> None:
    """Harm gateways and Redis in every way, under load, and show that the limits hold."""
    if REDIS_SERVER is None:
        click.echo(
            "There is no redis-server on this machine, and the proof is about sharing one. Install Redis.",
            err=True,
        )
        sys.exit(CANNOT_START)
    seed = random.randrange(1_000_000) if seed is None else seed  # noqa: S311 - nobody has to guess
    world = World(
        seconds=seconds,
        seed=seed,
        callers=callers,
        gateways=gateways,
        redis=redis,
        harms=() if no_harm else harms or None,
    )
    directory = Path(tempfile.mkdtemp(prefix="glm-gateway-torture-"))
    console = Console(highlight=False)
    try:
        report = asyncio.run(_watch(Trial(world, directory=directory), console))
    except StartError as error:
        click.echo(f"The proof could not begin: {error}. Logs are in {directory}.", err=True)
        sys.exit(CANNOT_START)
    console.print(_report(report))
    if not report.kept:
        console.print(Text(f"What the gateways logged is in {directory}.", style="dim"))
        sys.exit(1)
    shutil.rmtree(directory, ignore_errors=True)


async def _watch(trial: Trial, console: Console) -> Report:
    """Run a trial, and show what goes on; where nobody watches, say what is done."""
    running = asyncio.ensure_future(trial.run())
    try:
        if console.is_terminal:
            await _show(trial, running, console)
        else:
            await _tell(trial, running, console)
    except asyncio.CancelledError:
        running.cancel()
        await asyncio.wait([running])
        raise
    return running.result()


async def _show(trial: Trial, running: "asyncio.Future[Report]", console: Console) -> None:
    with Live(_view(trial), console=console, auto_refresh=False, transient=True) as live:
        while not running.done():
            await asyncio.wait([running], timeout=REFRESH_SECONDS)
            live.update(_view(trial), refresh=True)


async def _tell(trial: Trial, running: "asyncio.Future[Report]", console: Console) -> None:
    said = ""
    while not running.done():
        if trial.phase != said:
            said = trial.phase
            console.print(f"{trial.seconds:6.1f} s  {said}")
        await asyncio.wait([running], timeout=REFRESH_SECONDS / 5)


def _view(trial: Trial) -> RenderableType:
    tally = trial.callers.tally
    facts = Text.assemble(
        (f"{trial.seconds:5.1f} s  ", "bold"),
        (trial.phase, "green" if trial.phase == "peace" else "yellow"),
        f"\n{tally.done} done, {tally.left} hung up, {tally.refused.total()} refused, "
        f"{tally.cut} ended with their process, {tally.lost} with their slot\n",
        (f"{len(trial.judge.violations)} violations", "red" if trial.judge.violations else "green"),
        f", {sum(trial.harmed.values())} harms survived\n",
    )
    return Group(facts, _processes(trial), _counts(trial))


def _processes(trial: Trial) -> Text:
    colours = {"up": "green", "paused": "yellow", "down": "red"}
    parts = [(f"{gateway.name} {gateway.state}   ", colours[gateway.state]) for gateway in trial.gateways]
    return Text.assemble(*parts, "\n")


def _counts(trial: Trial) -> Table:
    """Show what is in flight at the simulator, and the most there ever was, against what may be."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "Model", "In flight", "", "Most", "Limit"):
        table.add_column(column, justify="left" if column in {"", "Model"} else "right")
    totals, judge = trial.judge.totals, trial.judge
    for count in sorted(judge.peaks):
        held, limit = totals[count], judge.limits[count.who]
        style = "bold red" if held > limit else "bold" if held == limit else ""
        bar = Text("█" * held + "·" * max(0, limit - held), style=style or "dim")
        table.add_row(
            count.who, count.model, Text(str(held), style=style), bar, str(judge.peaks[count]), str(limit)
        )
    return table


def _report(report: Report) -> RenderableType:
    table = Table(box=None, pad_edge=False, show_header=False, title_justify="left")
    for name, value in report.lines():
        table.add_row(name, value)
    verdict = (
        Text("Every promise was kept.", style="bold green")
        if report.kept
        else Text("A promise was broken.", style="bold red")
    )
    complaints = [Text(f"  {one}", style="red") for one in report.complaints()[:SAID_LINES]]
    again = Text(f"To see it again: glm-gateway torture --seed {report.seed}", style="dim")
    return Group(table, *complaints, verdict, again)

"""What ``vdbench run`` shows while trials run and when they are done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from vdbench.cli.advice import command
from vdbench.cli.output import err, out, print_json
from vdbench.cli.output import show as show_tables
from vdbench.storage.amounts import human_seconds
from vdbench.storage.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdbench.experiment.estimate import Estimate
    from vdbench.experiment.home import Home
    from vdbench.experiment.plan import Plan
    from vdbench.experiment.result import Result
    from vdbench.experiment.run import Outcome
    from vdbench.experiment.schedule import Scheduler

MANY_BEHIND = 20
"""Trials that MLflow is still to be told of when a run is over, from which on the wait is worth a word."""


def carry(plan: Plan, place: Home, scheduler: Scheduler, cost: Estimate) -> Outcome:
    """Run what is pending, show how far it is, and say how long it took."""
    from vdbench.api.progress import LiveRun, PlainRun
    from vdbench.cli.ending import leaving, say_asked
    from vdbench.cli.outlook import estimate_words, shared_words, training_words
    from vdbench.experiment.protocol import describe_protocol
    from vdbench.experiment.remaining import Remaining
    from vdbench.experiment.run import carry_out
    from vdbench.experiment.tracking import MlflowMirror

    started = time.monotonic()
    pending = len(plan.pending)
    first = plan.jobs[0].trial
    done = len(plan.jobs) - pending
    told = [
        training_words(plan, cost),
        f"suite {first.suite}: {describe_protocol(first.protocol)}",
        f"{counted(len(plan.jobs), 'trial')}, {done} done already, {pending} to run; home {place.root}",
        *((shared_words(cost), estimate_words(cost)) if pending else ()),
    ]
    for line in filter(None, told):
        err.print(line)
    mirror = MlflowMirror(place, f"vdbench run, suite {first.suite}") if pending else None
    remaining = Remaining(cost)
    live = err.is_terminal and pending
    display = LiveRun(pending, err, remaining) if live else PlainRun(pending, err, remaining)
    try:
        outcome = carry_out(plan, place, scheduler, [display, *([mirror] if mirror else [])], say_asked, leaving())
    finally:
        display.close()
        if mirror:
            if mirror.behind > MANY_BEHIND:
                words = "Ctrl-C leaves them to 'vdbench mlflow --rebuild'"
                err.print(f"writing the last {mirror.behind} trials to MLflow; {words}")
            mirror.close()
    if mirror and finished(outcome):
        _log_pools(plan, place)
    ran = len(outcome.done) - len(plan.done)
    took = human_seconds(time.monotonic() - started)
    sides = (
        f"; estimated {human_seconds(cost.seconds)}, took {took}" if ran and not outcome.interrupted else f", in {took}"
    )
    err.print(f"{counted(ran, 'trial')} done, {len(outcome.failed)} failed{sides}")
    return outcome


def finished(outcome: Outcome) -> bool:
    """Whether there is something to build a leaderboard of, and nobody is waiting for the end."""
    return bool(outcome.done or outcome.failed) and not outcome.interrupted


def show_outcome(
    done: Sequence[Result], failed: Sequence[Result], interrupted: bool, place: Home, as_json: bool
) -> None:
    """The leaderboard of the home, or the records as JSON; and what failed."""
    from vdbench_leaderboard.build import build, show

    if not interrupted and (done or failed):
        build(place.results.folder, place.leaderboard, place.root / "distilled")
        if not as_json:
            show_tables(show(place.results.folder))
            out.print(f"leaderboard page: {place.leaderboard / 'index.html'}")
    if as_json:
        print_json([r.model_dump(mode="json") for r in (*done, *failed)])
    if interrupted and done:
        err.print(f"for a leaderboard of what is done: {command('leaderboard', 'build')}")
    for result in failed:
        what = f"{result.label} on {result.dataset.name}, ipc {result.ipc or 'all'}, seed {result.seed}"
        why = result.failure.message if result.failure else ""
        log = place.log(result.id)
        more = command("results", "show", result.id) + (f"; log {log}" if log.exists() else "")
        err.print(f"failed: {what}: {why} ({more})")


def _log_pools(plan: Plan, place: Home) -> None:
    from vdbench.cli.generating import SHEET, works_of
    from vdbench.cli.generator_facts import log_pool

    for work in works_of(plan.pending, place):
        log_pool(work)
        err.print(f"pool of {work.title}: {work.folder / SHEET}")

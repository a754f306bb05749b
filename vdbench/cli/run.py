"""``vdbench run``: plan, carry out, and show the leaderboard."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vdbench.cli import options
from vdbench.cli.advice import command
from vdbench.cli.output import err, out, print_json, show_rows
from vdbench.cli.output import show as show_tables
from vdbench.storage.amounts import human_seconds

if TYPE_CHECKING:
    from vdbench.experiment.estimate import Estimate
    from vdbench.experiment.home import Home
    from vdbench.experiment.plan import Plan
    from vdbench.experiment.schedule import Scheduler


def run(
    methods: Annotated[
        str | None,
        typer.Option(
            help="Methods: names, name@pool, globs, or all; commas between.", show_default="those of the suite: all"
        ),
    ] = None,
    datasets: Annotated[
        str | None, typer.Option(help="Data sets, commas between.", show_default="those of the suite")
    ] = None,
    ipc: Annotated[
        str | None, typer.Option(help="Instances per class, commas between.", show_default="those of the suite")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Instead of IPCs, bytes that a distilled set may take, commas between: bytes=512KiB,bytes=2MiB. "
            "Each method gets the largest IPC that fits.",
            show_default=False,
        ),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            help="Store clips as uint8, float16, float32, h264 or h265; h264:28 at a quality from 0, best, to 51.",
            show_default="as each method stores them",
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="How many distillation seeds.", show_default="those of the suite")
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(help="The protocol.", show_default="quick on motion-digits, clean on real data"),
    ] = None,
    set_: options.SetOption = None,
    partial: options.PartialOption = False,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RESULT.json|ID",
            help="Run the trial of this result again, with its data set, protocol and settings; --seeds for more "
            "seeds of it.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the trials, the shared work, the time and the disk.")
    ] = False,
    scheduler: Annotated[Literal["ray", "inline"], typer.Option(help="ray: in parallel; inline: one by one.")] = "ray",
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    gpus_per_trial: Annotated[
        float | None,
        typer.Option(
            help="Share of a GPU per trial.", show_default="the method's own", min=0.01, callback=options.finite
        ),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds per trial, checked when it reports.", min=1, callback=options.finite)
    ] = None,
    checkpoint_every: Annotated[
        float, typer.Option(help="Seconds after which long methods keep their state.", min=0, callback=options.finite)
    ] = 120.0,
    ray_address: Annotated[str, typer.Option(help="An existing Ray cluster; local starts one here.")] = "local",
    workers: Annotated[int | None, typer.Option(help="Cores that a local Ray uses.", show_default="all", min=1)] = None,
    plugin: options.PluginOption = None,
    data_root: options.DataRootOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Judge methods on data sets, and build the leaderboard.

    Typing the same command again finishes what was interrupted and runs nothing twice.

    **Examples**

    `vdbench run` compares every method on the embedded data set.

    `vdbench run --methods herding,k-means --datasets ucf101 --ipc 1,5 --seeds 3 --dry-run`

    `vdbench run --datasets ucf101 --partial --suite quick --set herding.encoder=pixels`

    `vdbench run --from leaderboard/results/11fe21311f08ad2d.json`
    """
    from vdbench.clips.codecs import parse_codec
    from vdbench.experiment.budgets import parse_bytes

    changes = options.parse_settings(set_ or [])
    wanted_ipc = None if ipc is None else options.positive_list(ipc, "--ipc")
    budgets = [] if budget is None else [parse_bytes(part) for part in options.split_list(budget)]
    stored_as = None if codec is None else parse_codec(codec)
    wanted_seeds = None if seeds is None else options.positive(seeds, "--seeds")
    wanted_methods = None if methods is None else options.split_list(methods)
    from vdbench.api.asking import Asked, Means, repeated, requested
    from vdbench.api.runs import scheduler_named
    from vdbench.cli.datasets import preparing
    from vdbench.cli.results import find_result
    from vdbench.errors import UsageError
    from vdbench.experiment.home import Home
    from vdbench.experiment.plan import make_plan

    place, counted = Home.at(home), None if wanted_seeds is None else range(wanted_seeds)
    names = None if datasets is None else options.choose_datasets(datasets, place.root)
    asked = Asked(
        methods=wanted_methods,
        datasets=names,
        ipc=wanted_ipc,
        seeds=counted,
        suite=suite,
        settings=changes,
        budgets=budgets,
        codec=stored_as,
        partial=partial,
        plugins=plugin or [],
    )
    result = None
    if from_ is not None:
        said = {"methods": methods, "datasets": datasets, "ipc": ipc, "budget": budget, "codec": codec, "suite": suite}
        for option, value in (said | {"set": set_}).items():
            if value:
                raise UsageError(f"--{option} has no effect beside --from: the result says it; leave it out")
        _, result = find_result(from_, place.results)
        asked = repeated(result, counted, plugin or [])
    means = Means(device, ray_address != "local", gpus_per_trial, timeout, checkpoint_every)
    request = requested(asked, place, means, preparing)
    for path in place.results.set_aside_corrupt():
        err.print(
            f"warning: {path} is not a result that can be read; it was set aside, and its trial runs again",
            soft_wrap=True,
        )
    plan = make_plan(request, place)
    planned = {job.trial.id for job in plan.jobs}
    if result is not None and result.seed in request.seeds and result.id not in planned:
        err.print(
            f"warning: the trial of result {result.id} has another id here, {min(planned)}: clips, code or "
            "this version are not those of the result",
            soft_wrap=True,
        )
    cost = _estimate(plan, place, 1 if scheduler == "inline" else workers or os.cpu_count() or 1, scheduler)
    if dry_run:
        _show_plan(plan, cost, as_json)
        return
    raise typer.Exit(_carry_out(plan, place, scheduler_named(scheduler, ray_address, workers), cost, as_json))


def _estimate(plan: Plan, place: Home, at_once: int, scheduler: str) -> Estimate:
    from vdbench.experiment.estimate import estimate
    from vdbench.experiment.on_ray import START_UP

    return estimate(plan, place, at_once, START_UP if scheduler == "ray" else 0.0)


def _show_plan(plan: Plan, cost: Estimate, as_json: bool) -> None:
    from vdbench.cli.outlook import as_values, estimate_words, shared_words, training_words

    rows: list[dict[str, Any]] = [
        {
            "trial": job.trial.id,
            "method": job.trial.method,
            "pool": job.trial.pool,
            "dataset": job.trial.dataset.title,
            "ipc": job.trial.ipc,
            "budget_bytes": job.trial.budget_bytes,
            "codec": job.trial.codec,
            "seed": job.trial.seed,
            "control": job.trial.control,
            "state": "done" if job.trial.id in plan.done else "to run",
        }
        for job in plan.jobs
    ]
    if as_json:
        print_json({"trials": rows, **as_values(cost)})
        return
    shown = ["trial", "method", "pool", "dataset", "ipc", "seed", "control", "state"]
    shown[5:5] = [key for key in ("budget_bytes", "codec") if any(row[key] for row in rows)]
    show_rows("Trials", shown, rows, False)
    left = len(plan.pending)
    out.print(f"{len(rows)} trials, {len(rows) - left} done, {left} to run")
    if left:
        for line in (training_words(plan, cost), shared_words(cost), estimate_words(cost)):
            if line:
                out.print(line, soft_wrap=True)


def _carry_out(plan: Plan, place: Home, scheduler: Scheduler, cost: Estimate, as_json: bool) -> int:
    from vdbench.api.progress import LiveRun, PlainRun
    from vdbench.cli.ending import leaving, say_asked
    from vdbench.cli.outlook import estimate_words, shared_words, training_words
    from vdbench.experiment.plan import describe_protocol
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
        f"{len(plan.jobs)} trials, {done} done already, {pending} to run; home {place.root}",
        *((shared_words(cost), estimate_words(cost)) if pending else ()),
    ]
    for line in filter(None, told):
        err.print(line, soft_wrap=True)
    mirror = MlflowMirror(place, f"vdbench run, suite {first.suite}") if pending else None
    remaining = Remaining(cost)
    live = err.is_terminal and pending
    display = LiveRun(pending, err, remaining) if live else PlainRun(pending, err, remaining)
    try:
        outcome = carry_out(plan, place, scheduler, [display, *([mirror] if mirror else [])], say_asked, leaving())
    finally:
        display.close()
        if mirror:
            mirror.close()
    finished = (outcome.done or outcome.failed) and not outcome.interrupted
    if mirror and finished:
        _log_pools(plan, place)
    if finished:
        _build_leaderboard(place)
    if as_json:
        results = [r.model_dump(mode="json") for r in (*outcome.done, *outcome.failed)]
        print_json(results)
    elif finished:
        _show_leaderboard(place)
    ran = len(outcome.done) - len(plan.done)
    took = human_seconds(time.monotonic() - started)
    sides = (
        f"; estimated {human_seconds(cost.seconds)}, took {took}" if ran and not outcome.interrupted else f", in {took}"
    )
    err.print(f"{ran} trials done, {len(outcome.failed)} failed{sides}")
    if outcome.interrupted and outcome.done:
        err.print(f"for a leaderboard of what is done: {command('leaderboard', 'build')}", soft_wrap=True)
    for result in outcome.failed:
        what = f"{result.label} on {result.dataset.name}, ipc {result.ipc or 'all'}, seed {result.seed}"
        why = result.failure.message if result.failure else ""
        err.print(f"failed: {what}: {why} ({command('results', 'show', result.id)})", soft_wrap=True)
    return outcome.exit_code


def _log_pools(plan: Plan, place: Home) -> None:
    from vdbench.cli.generating import SHEET, works_of
    from vdbench.cli.generator_facts import log_pool

    for work in works_of(plan.pending, place):
        log_pool(work)
        err.print(f"pool of {work.title}: {work.folder / SHEET}", soft_wrap=True)


def _build_leaderboard(place: Home) -> None:
    from vdbench_leaderboard.build import build

    build(place.results.folder, place.leaderboard, place.root / "distilled")


def _show_leaderboard(place: Home) -> None:
    from vdbench_leaderboard.build import show

    show_tables(show(place.results.folder))
    out.print(f"leaderboard page: {place.leaderboard / 'index.html'}", soft_wrap=True)

"""``vdbench run``: plan, carry out, and show the leaderboard."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vdbench.cli import options
from vdbench.cli.output import err, out, print_json, show_rows
from vdbench.storage.text import counted

if TYPE_CHECKING:
    from vdbench.experiment.estimate import Estimate
    from vdbench.experiment.home import Home
    from vdbench.experiment.plan import Plan
    from vdbench.experiment.result import Result


def run(
    ctx: typer.Context,
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
    until: Annotated[
        str | None,
        typer.Option(
            help="Add seeds round by round: until methods are told from random and from the leader (told), or until "
            "their differences to random are known to within some points (3pts), on these test clips. Each seed has "
            "encoders, teachers and experts of its own, unless protocol.draws is set.",
            show_default=False,
            metavar="told|3pts",
        ),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            help="Begin no round of --until that would end later.", show_default=False, callback=options.finite
        ),
    ] = None,
    most_seeds: Annotated[int, typer.Option(help="Seeds that --until may come to.", min=3)] = 20,
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
    debug: Annotated[
        str | None,
        typer.Option(
            metavar="TRIAL",
            help="Run this one trial of the home again, in the foreground, and show the traceback of what ends it. Its "
            "stored result stays unless it ends done.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the trials, the shared work, the time and the disk.")
    ] = False,
    scheduler: Annotated[Literal["ray", "inline"], typer.Option(help="ray: in parallel; inline: one by one.")] = "ray",
    isolate: Annotated[
        bool | None,
        typer.Option(
            "--isolate/--no-isolate",
            help="With --scheduler inline: work in another process, so that a trial that ends its process does not end "
            "the run.",
            show_default="for plugin files, and with --timeout",
        ),
    ] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    gpus_per_trial: Annotated[
        float | None,
        typer.Option(
            help="Share of a GPU per trial.",
            show_default="as measured, or the method's own",
            min=0.01,
            callback=options.finite,
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds per trial; one that never reports is ended.", min=1, callback=options.finite),
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

    `vdbench run --methods random,herding,k-center --until told --hours 2`

    `vdbench run --from leaderboard/results/11fe21311f08ad2d.json`

    `vdbench run --debug 11fe2131`
    """
    from vdbench.clips.codecs import parse_codec
    from vdbench.experiment.budgets import parse_bytes

    changes = options.parse_settings(set_ or [])
    wanted_ipc = None if ipc is None else options.positive_list(ipc, "--ipc")
    budgets = [] if budget is None else [parse_bytes(part) for part in options.split_list(budget)]
    stored_as = None if codec is None else parse_codec(codec)
    wanted_seeds = None if seeds is None else options.positive(seeds, "--seeds")
    from vdbench.api.asking import Asked, repeated, requested
    from vdbench.api.rounds import Search
    from vdbench.api.runs import scheduler_named
    from vdbench.cli.carrying import carry, show_outcome
    from vdbench.cli.datasets import preparing
    from vdbench.cli.debugging import debug as debug_trial
    from vdbench.cli.planning import home_of_plan
    from vdbench.cli.results import find_result
    from vdbench.cli.searching import run_in_rounds
    from vdbench.experiment.plan import make_plan
    from vdbench.experiment.trial import Means

    place, counted = home_of_plan(ctx, home, datasets, dry_run), None if wanted_seeds is None else range(wanted_seeds)
    means = Means(device, ray_address != "local", gpus_per_trial, timeout, checkpoint_every)
    said = dict(methods=methods, datasets=datasets, ipc=ipc, budget=budget, codec=codec, suite=suite, set=set_)
    if debug is not None:
        _no_effect_beside("--debug", said | {"seeds": seeds, "until": until, "from": from_, "dry-run": dry_run})
        raise typer.Exit(debug_trial(debug, place, plugin or [], means))
    search = None
    if until is not None or hours is not None:
        search = Search.of(until, hours, wanted_seeds or 0, most_seeds)
        counted = range(search.looks[-1])
    asked = Asked(
        methods=None if methods is None else options.split_list(methods),
        datasets=None if datasets is None else options.choose_datasets(datasets, place.root),
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
        _no_effect_beside("--from", said)
        _, result = find_result(from_, place.results)
        asked = repeated(result, counted, plugin or [])
    request = requested(asked, place, means, preparing)
    _set_aside_corrupt(place, dry_run)
    plan = make_plan(search.drawing(request, repeated=result is not None) if search else request, place)
    if result is not None and result.seed in request.seeds:
        _warn_of_another_id(result, plan)
    carrier = scheduler_named(scheduler, ray_address, workers, isolate)

    def estimated(part: Plan) -> Estimate:
        return _estimate(part, place, 1 if scheduler == "inline" else workers or os.cpu_count() or 1, scheduler)

    if search is not None and not dry_run:
        raise typer.Exit(run_in_rounds(plan, search, place, carrier, estimated, as_json))
    cost = estimated(plan)
    if dry_run:
        _show_plan(plan, cost, as_json)
        return
    outcome = carry(plan, place, carrier, cost)
    show_outcome(outcome.done, outcome.failed, outcome.interrupted, place, as_json)
    raise typer.Exit(outcome.exit_code)


def _set_aside_corrupt(place: Home, dry_run: bool) -> None:
    for path in () if dry_run else place.results.set_aside_corrupt():
        err.print(f"warning: {path} is not a result that can be read; it was set aside, and its trial runs again")


def _warn_of_another_id(result: Result, plan: Plan) -> None:
    """Say so where the trial of a result is another one here."""
    planned = {job.trial.id for job in plan.jobs}
    if result.id not in planned:
        err.print(
            f"warning: the trial of result {result.id} has another id here, {min(planned)}: clips, code or "
            "this version are not those of the result"
        )


def _no_effect_beside(option: str, said: dict[str, Any]) -> None:
    """Refuse what a result says, where a result is named."""
    from vdbench.errors import UsageError

    for other, value in said.items():
        if value:
            raise UsageError(f"--{other} has no effect beside {option}: the result says it; leave it out")


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
    out.print(f"{counted(len(rows), 'trial')}, {len(rows) - left} done, {left} to run")
    if left:
        for line in (training_words(plan, cost), shared_words(cost), estimate_words(cost)):
            if line:
                out.print(line)

"""What the commands of ``vdbench generator`` work on: the pool that a suite and a user ask for, built if need be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vdbench.cli.advice import command
from vdbench.cli.options import choose_datasets, parse_settings
from vdbench.cli.output import err
from vdbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from vdbench.clips.pool import Pool
    from vdbench.datasets.view import View
    from vdbench.experiment.home import Home
    from vdbench.experiment.suite import Suite
    from vdbench.experiment.trial import Job
    from vdbench.generator.sampling import GeneratedPool
    from vdbench.generator.scores import PoolScores
    from vdbench.work.assets import Assets, AssetSpec
    from vdbench.work.reports import Report

SCORES = "scores.json"
SHEET = "sheet.png"
PAIRS = "pairs.png"
KEEP_EVERY = 120.0
"""Seconds after which long work keeps its state."""


@dataclass(frozen=True)
class Work:
    """A data set under a suite, and the pool that its suite and its user ask for.

    Attributes:
        name: of the data set.
        view: its clips.
        place: the home.
        assets: over its train split.
        pool: that is asked for, with its generator.
    """

    name: str
    view: View
    place: Home
    assets: Assets
    pool: GeneratedPool

    @property
    def title(self) -> str:
        """The data set, marked where it is partial."""
        return self.view.facts.title

    @property
    def folder(self) -> Path:
        """What is made of the pool for people to look at."""
        return self.place.root / "generator" / f"{self.name}-{self.assets.folder(self.pool).name}"

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Hold the home, compute as trials do, and let SIGTERM end long work once it has kept its state."""
        from vdbench.cli.ending import leaving, say_asked
        from vdbench.experiment.reproducing import reproducibly
        from vdbench.experiment.stopping import StopRequest
        from vdbench.storage import files

        stop = StopRequest(self.place.root)
        with files.sole_user(self.place.root), stop.on_sigterm(say_asked, leaving()), reproducibly():
            yield

    def get(self, spec: AssetSpec[Any]) -> Any:
        """Build what is missing of an asset and its parts, telling how far it is, and load it."""
        missing = (piece for _, piece in self.assets.missing([spec]))
        for kind, group in groupby(missing, key=lambda piece: piece.kind):
            pieces = list(group)
            with _progress(f"{kind} for {self.name}") as told:
                for done, piece in enumerate(pieces):
                    self.assets.report = _ending(self.place, told if len(pieces) == 1 else None)
                    self.assets.get(piece)
                    told(done + 1, of=len(pieces))
        return self.assets.get(spec)


def works(names: str, suite: str, set_: list[str] | None, partial: bool, home: Path | Home | None) -> list[Work]:
    """What was typed: the generator and pool of each data set, as a run under that suite would have them.

    Args:
        names: data sets, as typed.
        suite: its name.
        set_: ``--set`` options.
        partial: whether data sets of which only a part is there are allowed.
        home: where things are kept; a :class:`Home` where nothing is written to it.

    Raises:
        UsageError: an unknown name or setting.
        DataError: a data set is not prepared, or partial and that was not allowed.
    """
    changes = parse_settings(set_ or [])
    protocol, own = changes.pop("protocol", None), changes.pop("generator", {})
    if changes:
        raise UsageError(
            f"--set {next(iter(changes))}... has no effect here; only generator.* and protocol.* can be set"
        )
    from vdbench.experiment.home import Home
    from vdbench.experiment.suite import load_suite
    from vdbench.generator.settings import generator_settings

    generator_settings(own)
    place, declared = home if isinstance(home, Home) else Home.at(home), load_suite(suite, protocol)
    chosen = choose_datasets(names, place.root)
    if place is home and not place.assets.is_dir():  # to look closer would prepare the clips
        raise no_pool(place, chosen[0])
    return [_work(name, declared, own, place, partial) for name in chosen]


def no_pool(place: Home, name: str) -> DataError:
    """What is raised where a pool is not there."""
    first = command("generator", "sample", name, also=("suite", "set_"))
    return DataError(f"{place.root} holds no such pool of {name}; type: {first}")


def _work(name: str, suite: Suite, own: dict[str, Any], place: Home, partial: bool) -> Work:
    from vdbench.cli.datasets import preparing
    from vdbench.experiment.bench import Bench, device_named
    from vdbench.experiment.suite import merged
    from vdbench.generator.settings import GENERATOR

    with preparing(name) as on_progress:
        bench = Bench.open(name, suite.protocol, place, device_named("auto"), on_progress)
    view = bench.view
    if view.facts.partial and not partial:
        raise DataError(f"{view.facts.title} is all that is there; add --partial to go on with those")
    settings = merged(suite.prescribed(GENERATOR, view.facts.name, suite.ipc[0], own), own)
    return Work(view.facts.name, view, place, bench.assets(due=_due(place)), bench.pool(settings))


def works_of(jobs: Sequence[Job], place: Home) -> list[Work]:
    """The pools that the trials of a run chose from, each once, as far as they are there."""
    from vdbench.datasets.store import ClipStore
    from vdbench.experiment.bench import Bench
    from vdbench.storage import files

    sources = {
        files.digest([str(job.store), job.trial.protocol.data(), job.generator]): job
        for job in jobs
        if job.trial.pool == "generated"
    }
    found = []
    for job in sources.values():
        bench = Bench.of(ClipStore.open(job.store), job.trial.protocol, place, job.device)
        assets, pool = bench.assets(), bench.pool(job.generator)
        if assets.folder(pool).is_dir():
            found.append(Work(bench.view.facts.name, bench.view, place, assets, pool))
    return found


def _due(place: Home) -> Callable[[], bool]:
    """Whether long work should keep its state: now and then, and when it was asked to end."""
    from vdbench.experiment.stopping import StopRequest

    stop, kept = StopRequest(place.root), time.monotonic()

    def due() -> bool:
        nonlocal kept
        now = time.monotonic()
        if stop.made or now - kept >= KEEP_EVERY:
            kept = now
            return True
        return False

    return due


def _ending(place: Home, told: Report | None) -> Report:
    """A report that also ends the work, where it was asked to end."""
    from vdbench.experiment.stopping import StopRequest

    stop = StopRequest(place.root)

    def report(step: int, **metrics: Any) -> None:
        if told is not None:
            told(step, **metrics)
        stop.raise_if_made()

    return report


@contextmanager
def _progress(what: str) -> Iterator[Report]:
    """A bar with the time left on a terminal, a line a minute elsewhere."""
    from vdbench.api.progress import PlainRun, counting

    if err.is_terminal:
        with counting(what, err) as count:
            yield lambda step, of=None, **_: count(step, of) if of else None
    else:
        lines = PlainRun(0, err)
        lines.preparing(what)
        yield lambda step, **metrics: lines.building(what, step, metrics)


def sampled(work: Work) -> Pool:
    """The pool, sampled if need be; a contact sheet of it is written."""
    from vdbench.generator.sheet import class_sheet

    pool: Pool = work.get(work.pool)
    try:
        class_sheet(pool.clips, work.folder / SHEET)
    except OSError as error:
        err.print(f"no contact sheet is written below {work.folder.parent} ({error.strerror})")
    return pool


def scored(work: Work, pool: Pool, seed: int) -> PoolScores:
    """Score a pool, keep the scores, and write its clips that are nearest to train clips beside those."""
    from vdbench.generator.scores import judge_spec, score_pool, trained_judge
    from vdbench.generator.sheet import pairs_sheet
    from vdbench.storage import files

    work.get(judge_spec(work.view.train, seed))
    judge = trained_judge(work.assets, seed)
    part: Literal["validation", "test"] = "validation" if len(work.view.validation) else "test"
    held_out = work.view.validation if part == "validation" else work.view.test
    scores = score_pool(pool.clips, work.view.train, held_out, judge, work.assets.device, part=part, seed=seed)
    files.write_json(work.folder / SCORES, scores.model_dump(mode="json"))
    pairs_sheet(pool.clips, work.view.train, scores.pairs, work.folder / PAIRS)
    return scores


def stored_scores(work: Work) -> PoolScores | None:
    """The scores that were kept, or None.

    Raises:
        DataError: they cannot be read.
    """
    from vdbench.generator.scores import PoolScores

    path = work.folder / SCORES
    try:
        return PoolScores.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        again = command("generator", "score", work.name, also=("suite", "set_"))
        raise DataError(f"{path} cannot be read; type: {again}") from None

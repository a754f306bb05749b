"""The plan: which trials a run consists of, and which of them are done already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdbench.clips.codecs import clip_bytes
from vdbench.clips.drawing import checked_ipc
from vdbench.datasets.spec import as_declared_now
from vdbench.errors import DataError, UsageError
from vdbench.experiment.bench import Bench
from vdbench.experiment.budgets import largest_fitting, sample
from vdbench.experiment.gpu_shares import shares_learned
from vdbench.experiment.past import trial_likeness
from vdbench.experiment.suite import merged
from vdbench.experiment.trial import Job, Means, Trial
from vdbench.generator.choice import describe
from vdbench.generator.settings import GENERATOR, generator_settings
from vdbench.registry import Registry
from vdbench.registry.declared import identity_of, made_from, needed, promised_bytes
from vdbench.students import STUDENTS, student_class

if TYPE_CHECKING:
    from vdbench.clips.codecs import Codec
    from vdbench.datasets.store import ClipStore
    from vdbench.datasets.view import View
    from vdbench.experiment.home import Home
    from vdbench.experiment.result import Result
    from vdbench.experiment.suite import Suite
    from vdbench.generator.settings import GeneratorSettings
    from vdbench.method import Method, Task
    from vdbench.records import DatasetRecord


@dataclass(frozen=True)
class Request:
    """What a user asked to run.

    Attributes:
        suite: the protocol, modified as asked.
        methods: names, ``name@pool``, globs or ``all``; the suite's controls are added.
        stores: the prepared data sets.
        ipc: instances per class.
        budgets: bytes that a distilled set may take; each is a column beside the IPCs.
        codec: what clips are stored as; None as each method stores them.
        seeds: of the distillations.
        settings: for each method, and for ``generator``, the settings that differ from the defaults.
        partial: whether data sets of which only some classes or clips are there are allowed.
        plugins: plugin files.
        means: how it is carried out, on ``cpu`` or ``cuda``.
    """

    suite: Suite
    methods: Sequence[str]
    stores: Sequence[ClipStore]
    ipc: Sequence[int]
    seeds: Sequence[int]
    means: Means
    budgets: Sequence[int] = ()
    codec: Codec | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    partial: bool = False
    plugins: Sequence[Path] = ()


@dataclass(frozen=True)
class Plan:
    """All trials of a run, in the order in which they are best run.

    Attributes:
        jobs: every trial, done or not.
        done: results of those that are finished, by trial id.
    """

    jobs: tuple[Job, ...]
    done: Mapping[str, Result]

    @property
    def pending(self) -> list[Job]:
        """The trials without a result; a failed one is pending."""
        return [job for job in self.jobs if job.trial.id not in self.done]

    def __or__(self, other: Plan) -> Plan:
        """Both, each trial once."""
        jobs = {job.trial.id: job for job in (*other.jobs, *self.jobs)}
        order = dict.fromkeys(job.trial.id for job in (*self.jobs, *other.jobs))
        return Plan(tuple(jobs[trial] for trial in order), {**self.done, **other.done})


def make_plan(request: Request, home: Home) -> Plan:
    """Lay out a run: every method on every data set at every IPC with every seed.

    Raises:
        UsageError: an unknown method or setting, an IPC beyond a class, a budget that no clip fits, too many seeds.
        DataError: a data set is partial and that was not allowed.
    """
    registry = Registry(request.plugins)
    generator_settings(dict(request.settings.get(GENERATOR, {})))
    controls = registry.resolve(request.suite.controls)
    chosen = [*controls, *(pair for pair in registry.resolve(request.methods) if pair not in controls)]
    _check_settings(request, registry, [name for name, _ in chosen])
    if len(request.seeds) > (most := 10_000):
        raise UsageError(f"{len(request.seeds):,} seeds are too many; a run takes {most:,} at most")
    for student in request.suite.protocol.every_student:
        student_class(student.name)
    by_memory = request.means.device == "cuda" and request.means.gpus is None
    learned = shares_learned(home.results.readable()) if by_memory else {}
    jobs: dict[str, Job] = {}
    for store in request.stores:
        declared = as_declared_now(store.manifest.spec, home.root)
        protocol = request.suite.protocol.on(declared).computed_on(request.means.device)
        site = _Site(request, registry, Bench.of(store, protocol, home, request.means.device), learned)
        _check_data(request, store, site.bench.view)
        cells = [
            *((pair, ipc, None) for ipc in request.ipc for pair in chosen),
            *((pair, site.fitting_ipc(pair, allowed), allowed) for allowed in request.budgets for pair in chosen),
        ]
        for seed, (pair, ipc, allowed) in product(request.seeds, cells):
            job = site.job(pair, pair in controls, ipc, allowed, seed)
            jobs.setdefault(job.trial.id, job)
    done = {job: found for job in jobs if (found := home.results.read(job)) is not None and found.status == "done"}
    return Plan(tuple(jobs.values()), done)


@dataclass(frozen=True)
class _Site:
    """One data set of a run, and all that turns a method into trials on it."""

    request: Request
    registry: Registry
    bench: Bench
    learned: Mapping[str, float]

    @cached_property
    def clip_bytes(self) -> float | None:
        """What the codec takes for a train clip; None where there is no codec."""
        return None if self.request.codec is None else clip_bytes(sample(self.bench.view.train), self.request.codec)

    def fitting_ipc(self, pair: tuple[str, str | None], allowed: int) -> int:
        """The largest IPC whose distilled set takes no more than so many bytes; 1 for a method without a budget.

        Raises:
            UsageError: none does.
        """
        if not self.registry.get(pair[0]).budgeted:
            return 1

        def stored(ipc: int) -> float:
            method = self._method(pair, ipc)
            return promised_bytes(method, self._task(method, ipc, allowed, 0, 0), self.clip_bytes)

        least = stored(1)
        if least > allowed:
            raise UsageError(
                f"one clip per class of {pair[0]} on {self.bench.view.facts.name} takes {round(least)} bytes, more "
                f"than the budget of {allowed}; raise --budget, leave {pair[0]} out, or choose a smaller --codec"
            )
        return largest_fitting(stored, self._most(pair), allowed)

    def _most(self, pair: tuple[str, str | None]) -> int:
        """Clips per class that a method can choose from, or start from."""
        if pool_name(self._method(pair, 1)) == "generated":
            return generator_settings(self._chosen(GENERATOR, 1)[1]).sampling.per_class
        return int(self.bench.view.train.counts().min())

    def job(self, pair: tuple[str, str | None], control: bool, ipc: int, allowed: int | None, seed: int) -> Job:
        """One trial, and how this run carries it out."""
        request, view, means, name = self.request, self.bench.view, self.request.means, pair[0]
        prescribed, settings = self._chosen(name, ipc)
        prescribed_generator, generator = self._chosen(GENERATOR, ipc)
        method = self._method(pair, ipc)
        identity = identity_of(method)
        if identity.get("pool") == "generated":
            made_by = generator_settings(generator)
            _check_pool(made_by, ipc, name)
            identity[GENERATOR] = describe(made_by, view.facts.name, view.train)
            prescribed = prescribed | ({GENERATOR: prescribed_generator} if prescribed_generator else {})
        task = partial(self._task, method, ipc, allowed, seed)
        draw = request.suite.protocol.draw(seed) if self._draws(method, task) else None
        trial = Trial(
            method=name,
            method_version=method.version,
            method_code=self.registry.code(name),
            pool=pool_name(method),
            settings=identity,
            prescribed=prescribed,
            suite=request.suite.name,
            control=control,
            protocol=self.bench.protocol,
            dataset=_dataset_record(request, view),
            train_fingerprint=view.train.fingerprint,
            assets=made_from(method, task(draw or 0), means.device),
            ipc=ipc if method.budgeted else None,
            budget_bytes=allowed if method.budgeted else None,
            codec=str(request.codec) if request.codec and method.budgeted else None,
            seed=seed,
            distillation_seed=seed if method.seeded else 0,
            reads=self.bench.described(self.bench.given(method, draw or 0, allowed)),
            draw=draw,
        )
        return Job(
            trial=trial,
            settings=settings,
            generator=generator,
            home=self.bench.home.root,
            store=self.bench.store.folder,
            plugins=self._plugins(name),
            device=means.device,
            cpus=method.resources.cpus,
            gpus=self._gpus(method, trial) if means.device == "cuda" else 0.0,
            timeout=means.timeout,
            checkpoint_every=means.checkpoint_every,
        )

    def _gpus(self, method: Method[Any], trial: Trial) -> float:
        """The share of a GPU: as asked, or as trials like it took, or as the method declares."""
        if self.request.means.gpus is not None:
            return self.request.means.gpus
        return self.learned.get(trial_likeness(trial), method.resources.gpus)

    def _plugins(self, name: str) -> tuple[Path, ...]:
        """The files that a worker has to know: of the method, and of the students."""
        students = [STUDENTS.file(student.name) for student in self.bench.protocol.every_student]
        return tuple(dict.fromkeys([*self.registry.plugins(name), *(file for file in students if file)]))

    def _method(self, pair: tuple[str, str | None], ipc: int) -> Method[Any]:
        """A method with the settings that it has at an IPC."""
        return self.registry.configure(*pair, self._chosen(pair[0], ipc)[1])

    def _chosen(self, name: str, ipc: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the suite prescribes for a method or the generator, and that with what the user set instead."""
        own = self.request.settings.get(name, {})
        prescribed = self.request.suite.prescribed(name, self.bench.view.facts.name, ipc, own)
        return prescribed, merged(prescribed, own)

    def _task(self, method: Method[Any], ipc: int, allowed: int | None, seed: int, draw: int) -> Task:
        """What the method will be asked, as far as it decides which assets it needs."""
        pool = self._chosen(GENERATOR, ipc)[1] if pool_name(method) == "generated" else None
        return self.bench.task(ipc, seed, draw, pool, given=self.bench.given(method, draw, allowed))

    def _draws(self, method: Method[Any], task: Callable[[int], Task]) -> bool:
        """Whether another draw of shared networks would change a trial: by its assets, or by its judging's teacher."""
        if self.bench.protocol.taught or method.learns_labels():
            return True
        return needed(method, task(0)) != needed(method, task(1))


def pool_name(method: Method[Any]) -> str | None:
    """The pool that a method chooses from, ``real`` or ``generated``; None where it takes none."""
    return getattr(method.settings, "pool", None)


def _check_settings(request: Request, registry: Registry, chosen: Sequence[str]) -> None:
    """A setting for a method that is not run would be lost without a word."""
    for name in (name for name in request.settings if name != GENERATOR):
        registry.get(name)
        if name not in chosen:
            raise UsageError(f"--set {name}... has no effect: method '{name}' is not among those of this run")


def _check_pool(generator: GeneratorSettings, ipc: int, name: str) -> None:
    if ipc > generator.sampling.per_class:
        raise UsageError(
            f"IPC {ipc} is more than {name}@generated can choose from: the pool has {generator.sampling.per_class} "
            f"clips per class; add --set generator.sampling.per_class={4 * ipc}, or another number from {ipc} on"
        )


def _dataset_record(request: Request, view: View) -> DatasetRecord:
    if request.suite.protocol.evaluate_on == "test":
        return view.facts
    return view.facts.model_copy(update={"test_clips": len(view.validation)})


def _check_data(request: Request, store: ClipStore, view: View) -> None:
    dataset = view.facts
    if dataset.partial and not request.partial:
        lost = [clip for clip in store.manifest.faults() if clip.row is None]
        without = f", without {lost[0].id} ({lost[0].decode.status})" if lost else ""
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise DataError(
            f"{dataset.name} is partial: {dataset.classes} of {dataset.classes_total} classes and "
            f"{dataset.clips} of {dataset.clips_total} clips are there; add --partial to run on those{without}{more}"
        )
    if request.suite.protocol.evaluate_on == "validation" and not len(view.validation):
        raise UsageError("there is no validation part to evaluate on; add --set protocol.validation=0.1")
    for ipc in request.ipc:
        checked_ipc(ipc, view.train, dataset.name)

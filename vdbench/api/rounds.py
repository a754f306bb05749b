"""Adding seeds where something is undecided: which trials come next, and when there is nothing left to gain."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from vdbench.errors import UsageError
from vdbench.experiment.plan import Plan
from vdbench_leaderboard.statistics.estimates import FEW_SEEDS
from vdbench_leaderboard.tables.undecided import Question, questions

if TYPE_CHECKING:
    from vdbench.experiment.plan import Request
    from vdbench.experiment.result import Result
    from vdbench.experiment.run import Outcome
    from vdbench.experiment.trial import Job

MOST_SEEDS = 20
"""Seeds of the last look, unless others are asked for."""


@dataclass(frozen=True)
class Search:
    """What seeds are added for.

    Attributes:
        looks: numbers of seeds at which is looked.
        points: half-width that the interval of every difference to ``random`` is to have; None where methods are to be
            told from ``random`` and from the method that leads.
        hours: that the whole may take; None for as long as it takes.
    """

    looks: tuple[int, ...]
    points: float | None = None
    hours: float | None = None

    @classmethod
    def of(cls, until: str | None, hours: float | None, first: int = FEW_SEEDS, most: int = MOST_SEEDS) -> Search:
        """What a user asks for.

        Args:
            until: ``told``, or points such as ``3pts``; ``told`` where None.
            hours: that it may take.
            first: seeds of the first look; at least three are taken.
            most: seeds of the last.

        Raises:
            UsageError: one makes no sense.
        """
        points = None
        if until not in (None, "told"):
            written = re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:pts?|points?)", until or "")
            if written is None or not float(written[1]):
                raise UsageError(f"until is 'told', or points such as '3pts', not '{until}'")
            points = float(written[1])
        if hours is not None and not 0 < hours < float("inf"):
            raise UsageError(f"hours is a number above 0, not {hours}")
        first = max(FEW_SEEDS, first)
        if most < first:
            raise UsageError(f"the search begins with {first} seeds and cannot end with {most}; allow more of them")
        return cls(tuple(range(first, most + 1)), points, hours)

    def drawing(self, request: Request, *, repeated: bool = False) -> Request:
        """A request in which every seed has trained encoders, teachers and experts of its own.

        The tests take seeds as independent, and those that share such a network are not. Left as they are: a number of
        draws that the user or the suite's file sets, and a single one, whose answers hold for that one.

        Args:
            request: with as many seeds as the last look has.
            repeated: whether its protocol is that of a result, which has a number that nobody may have set.
        """
        protocol = request.suite.protocol
        if protocol.draws == 1 or ("draws" in protocol.model_fields_set and not repeated):
            return request
        drawn = protocol.model_copy(update={"draws": max(protocol.draws, self.looks[-1])})
        return replace(request, suite=request.suite.model_copy(update={"protocol": drawn}))

    def shared(self, jobs: Sequence[Job]) -> str | None:
        """A sentence on methods whose seeds share draws of trained networks; None where there are none."""
        trials = [job.trial for job in jobs if job.trial.draw is not None]
        sharing = [trial for trial in trials if 1 < trial.protocol.draws < self.looks[-1]]
        if not sharing:
            return None
        names, draws = ", ".join(sorted({trial.method for trial in sharing})), sharing[0].protocol.draws
        return (
            f"seeds of {names} share {draws} draws of trained networks and are not independent, so that more than 5 % "
            f"of differences may be found falsely; leave protocol.draws out, or set it to {self.looks[-1]}"
        )

    def questions(self, results: Sequence[Result]) -> list[Question]:
        """What is to be decided, and what is known of it."""
        return questions(results, self.looks, to_the_end=self.points is not None)

    def unanswered(self, question: Question) -> bool:
        """Whether more seeds are to be added for a question."""
        if self.points is None:
            return question.open
        seeds = question.look.seeds if question.look else 0
        return question.wider_than(self.points) and seeds < self.looks[-1]


Ended = Literal["decided", "out of time", "failed", "interrupted"]
"""Nothing more is to be gained; the next round would not fit; trials of a round failed; it was asked to end."""


@dataclass(frozen=True)
class Searched:
    """What a search came to.

    Attributes:
        results: of every finished trial.
        failed: records of the trials that failed in the last round.
        ended: why no further round was run.
        questions: what was to be decided, and what is known of it now.
    """

    results: tuple[Result, ...]
    failed: tuple[Result, ...]
    ended: Ended
    questions: tuple[Question, ...]


def next_trials(jobs: Sequence[Job], results: Mapping[str, Result], search: Search) -> list[Job]:
    """The trials of the next round, done ones included; none when all is decided.

    The first round has the seeds of the first look. After it, both methods of every open question get the seeds of the
    question's next look.

    Args:
        jobs: of all methods, with as many seeds as the last look has.
        results: of those that are finished, by id.
        search: what seeds are added for.
    """
    rows: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: job.trial.seed):
        rows.setdefault(_row(job), []).append(job)
    first = [job for row in rows.values() for job in row[: search.looks[0]]]
    if any(job.trial.id not in results for job in first):
        return first
    row_of = {job.trial.id: row for row, members in rows.items() for job in members}
    wanted: dict[str, int] = {}
    for question in filter(search.unanswered, search.questions(list(results.values()))):
        seeds = question.look.seeds if question.look else 0
        following = next(look for look in search.looks if look > seeds)
        for row in {row_of[result] for result in question.results}:
            wanted[row] = max(following, wanted.get(row, 0))
    return [job for row, seeds in wanted.items() for job in rows[row][:seeds]]


def in_rounds(plan: Plan, search: Search, cost: Callable[[Plan], float], carry: Callable[[Plan], Outcome]) -> Searched:
    """Carry out a plan round by round, until everything is decided or there is a reason not to go on.

    Args:
        plan: all trials that there may be.
        search: what seeds are added for.
        cost: seconds that a round will take.
        carry: carries out a round.
    """
    done, failed, started = dict(plan.done), [], time.monotonic()
    ended: Ended = "decided"
    while trials := next_trials(plan.jobs, done, search):
        part = Plan(tuple(trials), {job.trial.id: done[job.trial.id] for job in trials if job.trial.id in done})
        left = float("inf") if search.hours is None else 3600 * search.hours - (time.monotonic() - started)
        if left < float("inf") and cost(part) > left:
            ended = "out of time"
            break
        outcome = carry(part)
        done |= {result.id: result for result in outcome.done}
        if outcome.interrupted or outcome.failed:
            ended, failed = "interrupted" if outcome.interrupted else "failed", list(outcome.failed)
            break
    return Searched(tuple(done.values()), tuple(failed), ended, tuple(search.questions(list(done.values()))))


def _row(job: Job) -> str:
    """What the trials of one row have in common: all but the seed."""
    return job.trial.model_copy(update={"seed": 0, "distillation_seed": 0, "draw": None, "assets": ()}).id

"""``vdbench run --until``: round after round, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vdbench.cli.carrying import carry, show_outcome
from vdbench.cli.output import err, print_json, show_rows
from vdbench.storage.text import counted

if TYPE_CHECKING:
    from vdbench.api.rounds import Search, Searched
    from vdbench.experiment.estimate import Estimate
    from vdbench.experiment.home import Home
    from vdbench.experiment.plan import Plan
    from vdbench.experiment.run import Outcome
    from vdbench.experiment.schedule import Scheduler
    from vdbench_leaderboard.tables.undecided import Question

COLUMNS = ("suite", "dataset", "student", "budget", "method", "against", "seeds", "difference", "interval", "found")
REASONS = {
    "decided": "nothing more is to be gained",
    "out of time": "the next round would take longer than what is left of --hours",
    "failed": "trials failed; type the same command again to go on",
    "interrupted": "it was asked to end; type the same command to go on",
}
CODES = {"decided": 0, "out of time": 0, "failed": 1, "interrupted": 130}


def run_in_rounds(
    plan: Plan, search: Search, place: Home, scheduler: Scheduler, estimated: Callable[[Plan], Estimate], as_json: bool
) -> int:
    """Add seeds until everything is decided, show what was found, and give the exit code."""
    from vdbench.api.rounds import in_rounds

    if shared := search.shared(plan.jobs):
        err.print(f"warning: {shared}")
    number = 0

    def one_round(part: Plan) -> Outcome:
        nonlocal number
        number += 1
        err.print(f"round {number}: {counted(len(part.pending), 'trial')} to run", style="bold")
        return carry(part, place, scheduler, estimated(part))

    found = in_rounds(plan, search, lambda part: estimated(part).seconds, one_round)
    if not as_json:
        show_outcome(found.results, found.failed, found.ended == "interrupted", place, False)
    rows = [_row(question, search) for question in found.questions]
    if as_json:
        print_json({"ended": found.ended, "looks": search.looks, "questions": rows})
    else:
        show_rows(_title(search), COLUMNS, rows, False)
    err.print(_ending(plan, search, found))
    return CODES[found.ended]


def _title(search: Search) -> str:
    from vdbench_leaderboard.statistics.two_way import THESE

    at = f"{search.looks[0]} to {search.looks[-1]} seeds"
    return f"Differences in points of top-1 {THESE}, with intervals that hold together at every look ({at})"


def _row(question: Question, search: Search) -> dict[str, Any]:
    look = question.look
    return {
        "suite": question.group.suite,
        "dataset": question.group.dataset_title,
        "student": question.student.name,
        "budget": str(question.budget),
        "method": question.method,
        "against": question.against,
        "seeds": look.seeds if look else None,
        "difference": round(look.mean, 2) if look else None,
        "interval": f"{look.low:.1f} to {look.high:.1f}" if look else None,
        "found": known_of(question, search),
    }


def known_of(question: Question, search: Search) -> str:
    """What is known; of a difference that was to be known to within some points also that it is."""
    if question.look is None:
        return "too few seeds"
    known = search.points is not None and not question.wider_than(search.points)
    return f"within {search.points:g} points" if known and question.look.state == "open" else question.look.state


def _ending(plan: Plan, search: Search, found: Searched) -> str:
    most = search.looks[-1]
    run = f"{len(found.results)} of the {len(plan.jobs)} trials that {most} seeds of everything take were run"
    wider = sum(search.points is not None and question.wider_than(search.points) for question in found.questions)
    if found.ended == "decided" and wider:
        missed = (
            f"{wider} of {counted(len(found.questions), 'difference')} {'is' if wider == 1 else 'are'} not yet known"
        )
        return f"{run}; {missed} to within {search.points:g} points; raise --most-seeds to go on"
    unanswered = sum(search.unanswered(question) for question in found.questions)
    return f"{run}; {REASONS[found.ended]}, {counted(unanswered, 'question is', 'questions are')} open"

"""Measure the readings of tac-dt and vst-unet against each other, and write the tables of their page.

``nox -s ablations`` runs it: every reading on real and on generated clips, under the suite ``factorial`` unless
``--suite`` names another. What the home holds already is not run again. Arguments it does not know go to
``vdbench run``.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vdbench.experiment.result import Result
from vdbench.storage import files
from vdbench_leaderboard.statistics.estimates import Estimate, Runs, difference, estimate

PAGE = Path(__file__).parents[1] / "docs" / "tac-dt-and-vst-unet.md"
POOLS = ("real", "generated")


@dataclass(frozen=True)
class Reading:
    """A row of the tables.

    Attributes:
        title: of the row.
        method: what runs.
        settings: that differ from its defaults, as ``--set`` takes them.
    """

    title: str
    method: str
    settings: tuple[str, ...] = ()


RANDOM = Reading("random", "random")
TIME = Reading("tac-dt", "tac-dt")
NO_TIME = Reading("tac-dt without time", "tac-dt", ("tac-dt.time_weight=0",))
SEQUENCE = Reading("tac-dt, sequence", "tac-dt", ("tac-dt.reading=sequence",))
GREEDY = Reading("greedy-reward", "greedy-reward")
NETWORK = Reading("vst-unet", "vst-unet")
ANY_SIZE = Reading("vst-unet, episodes of any size", "vst-unet", ("vst-unet.draws=1",))
NO_OFFSETS = Reading("vst-unet without offsets", "vst-unet", ("vst-unet.lr_offsets=0",))
READINGS = (RANDOM, TIME, NO_TIME, SEQUENCE, GREEDY, NETWORK, ANY_SIZE, NO_OFFSETS)

QUESTIONS = (
    ("time or no time", TIME, NO_TIME),
    ("descriptor or sequence", TIME, SEQUENCE),
    ("network or greedy", NETWORK, GREEDY),
    ("episodes of k clips or of any size", NETWORK, ANY_SIZE),
    ("offsets or the network alone", NETWORK, NO_OFFSETS),
    ("tac-dt or random", TIME, RANDOM),
    ("vst-unet or random", NETWORK, RANDOM),
)

Cells = Mapping[tuple[Reading, str, int], Runs]
"""Top-1 in percent by reading, pool and IPC."""


def main() -> None:
    """Run what is missing, and write the tables of one data set into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="motion-digits", help="data set (default: %(default)s)")
    parser.add_argument("--defaults-only", action="store_true", help="leave out what differs from the defaults")
    parser.add_argument("--page", type=Path, default=PAGE, help="page whose tables are replaced (default: %(default)s)")
    chosen, more = parser.parse_known_args()
    readings = [reading for reading in READINGS if not (chosen.defaults_only and reading.settings)]
    cells = measure(readings, chosen.dataset, more)
    page = chosen.page.read_text(encoding="utf-8")
    files.write_text(chosen.page, replaced(page, chosen.dataset, tables(cells)))


def measure(readings: Sequence[Reading], dataset: str, more: Sequence[str]) -> Cells:
    """Run readings, those with the same settings in one command."""
    together: dict[tuple[str, ...], list[Reading]] = defaultdict(list)
    for reading in readings:
        together[reading.settings].append(reading)
    cells: dict[tuple[Reading, str, int], Runs] = {}
    for settings, alike in together.items():
        methods = ",".join(f"{reading.method}@{pool}" for reading in alike for pool in POOLS)
        command = ["run", "--suite", "factorial", "--datasets", dataset, "--methods", methods, "--json"]
        command += [word for setting in settings for word in ("--set", setting)]
        for result in results_of([*command, *more]):
            for reading in alike:
                if reading.method == result.method and result.pool and result.ipc:
                    runs = cells.setdefault((reading, result.pool, result.ipc), {})
                    scores = {score.seed: 100 * score.top1 for score in result.students[0].scores}
                    cells[reading, result.pool, result.ipc] = {**runs, result.seed: scores}
    return cells


def results_of(arguments: Sequence[str]) -> list[Result]:
    """What a command of vdbench has finished; its progress goes to the screen."""
    command = [sys.executable, "-m", "vdbench.cli", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.returncode)
    results = [Result.model_validate(value) for value in json.loads(done.stdout)]
    return [result for result in results if result.status == "done"]


def tables(cells: Cells) -> str:
    """Accuracies, and the paired differences that answer the questions, in Markdown."""
    measured = {reading for reading, _, _ in cells}
    places = [(ipc, pool) for ipc in sorted({ipc for _, _, ipc in cells}) for pool in POOLS]

    def row(title: str, number: Callable[[int, str], Estimate | None], mark: bool = False) -> str:
        return " | ".join([f"| {title}", *(shown(number(ipc, pool), mark) for ipc, pool in places)]) + " |"

    def accuracy(reading: Reading) -> Callable[[int, str], Estimate | None]:
        return lambda ipc, pool: estimate(cells.get((reading, pool, ipc), {}))

    def gap(one: Reading, other: Reading) -> Callable[[int, str], Estimate | None]:
        return lambda ipc, pool: difference(cells.get((one, pool, ipc), {}), cells.get((other, pool, ipc), {}))

    head = " | ".join(f"IPC {ipc}, {pool}" for ipc, pool in places)
    rule = "|---" * (len(places) + 1) + "|"
    seeds = sorted({len(runs) for runs in cells.values()})
    return "\n".join(
        [
            f"Top-1 in %, mean over {' or '.join(map(str, seeds))} seeds and its 95 % interval:",
            "",
            f"| reading | {head} |",
            rule,
            *(row(reading.title, accuracy(reading)) for reading in READINGS if reading in measured),
            "",
            "The first minus the second, paired by seed; bold where the interval excludes 0:",
            "",
            f"| question | {head} |",
            rule,
            *(row(title, gap(*pair), mark=True) for title, *pair in QUESTIONS if measured.issuperset(pair)),
        ]
    )


def shown(number: Estimate | None, mark: bool) -> str:
    """A mean with half the width of its interval; bold, if asked for, where that excludes 0."""
    if number is None:
        return "–"
    if number.high is None:
        return f"{number.mean:.1f}"
    text = f"{number.mean:.1f} ± {number.high - number.mean:.1f}"
    return f"**{text}**" if mark and number.excludes_zero else text


def replaced(page: str, dataset: str, text: str) -> str:
    """The page with other tables for a data set.

    Raises:
        SystemExit: the page has no place for them.
    """
    begin, end = f"<!-- ablations: {dataset} -->", "<!-- end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        sys.exit(f"the page has no place for {dataset}; add a line {begin} and a line {end}")
    return pattern.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", page)


if __name__ == "__main__":
    main()

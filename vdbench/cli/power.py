"""``vdbench power``: what telling methods apart would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vdbench.cli.options import HomeOption, JsonOption, ResultsOption, finite
from vdbench.cli.output import out, show_rows
from vdbench.errors import DataError
from vdbench.storage.amounts import human_seconds

if TYPE_CHECKING:
    from vdbench_leaderboard.tables.planning import Needed

COLUMNS = (
    *("suite", "dataset", "student", "budget", "methods", "seeds", "networks", "std_seeds", "std_networks"),
    *("needed", "needed_twice", "takes"),
)


def power(
    points: Annotated[float, typer.Option(help="Size of the difference to find.", min=0.1, callback=finite)] = 5.0,
    results: ResultsOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many seeds a difference to random takes, from the results that are there, and how long they take.

    `needed` seeds find such a difference four times out of five, corrected for all methods of the column;
    `needed_twice` is with twice the networks per seed. `std_seeds` and `std_networks` say, in points, how much of a
    difference is luck of the seed and luck of a network. `takes` counts the seeds that are missing, one trial after
    the other, as fast as those that are there. The difference is one on these test clips, with other seeds: whether it
    holds on other clips of this kind takes other test clips, and no number of seeds tells.

    **Example:** `vdbench power --points 3 --results leaderboard/results`
    """
    from vdbench.experiment.home import Home
    from vdbench_leaderboard.build import load
    from vdbench_leaderboard.statistics.power import MOST_SEEDS
    from vdbench_leaderboard.statistics.two_way import THESE
    from vdbench_leaderboard.tables.planning import needed

    folder = results or Home.to_read(home).results.folder
    found = needed(load(folder).results, points)
    if not found:
        raise DataError(f"{folder} has no column with random, another method and two seeds of both; run more seeds")
    rows = [_row(one, MOST_SEEDS, as_json) for one in found]
    show_rows(f"To find a difference to random of {points:g} points {THESE}", COLUMNS, rows, as_json)
    if not as_json:
        out.print("`vdbench run --until told` adds seeds where they are needed and stops where they are not")


def _row(one: Needed, most: int, as_json: bool) -> dict[str, Any]:
    def seeds(count: int | None) -> int | str | None:
        return count if as_json or count is None or count <= most else f"over {most}"

    return {
        "suite": one.group.suite,
        "dataset": one.group.dataset_title,
        "student": one.student.name,
        "budget": str(one.budget),
        "methods": one.methods,
        "seeds": one.seeds,
        "networks": one.networks,
        "std_seeds": round(one.seeds_std, 2),
        "std_networks": None if one.networks_std is None else round(one.networks_std, 2),
        "needed": seeds(one.needed),
        "needed_twice": seeds(one.needed_twice),
        "takes": one.seconds if as_json else human_seconds(one.seconds) if one.seconds else "nothing",
    }

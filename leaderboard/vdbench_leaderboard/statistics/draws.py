"""How much of a mean's error comes from networks that seeds share: trained encoders, teachers and experts.

Seeds of one draw share these networks, so their accuracies are a one-way layout with random effects. The variance
between draws is that of the analysis of variance with groups of unequal size (Searle, Casella & McCulloch, Variance
Components, 1992, section 3.6), and none where it comes out negative.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping


def error_of_draws(means: Mapping[int, float], draws: Mapping[int, int]) -> float | None:
    """Standard error of the mean over seeds by the choice of the networks that they share, in points.

    More seeds do not make it smaller, more draws do. Estimated from few draws, it is rough itself.

    Args:
        means: accuracy in percent by seed.
        draws: which draw each of these seeds has.

    Returns:
        None where there are fewer than two draws among the seeds, or no draw has two seeds.
    """
    groups: dict[int, list[float]] = defaultdict(list)
    for seed, value in means.items():
        groups[draws[seed]].append(value)
    count, squares = len(means), sum(len(group) ** 2 for group in groups.values())
    if len(groups) < 2 or len(groups) == count:
        return None
    mean = math.fsum(means.values()) / count
    centres = [math.fsum(group) / len(group) for group in groups.values()]
    pairs = list(zip(groups.values(), centres, strict=True))
    between = math.fsum(len(group) * (centre - mean) ** 2 for group, centre in pairs) / (len(groups) - 1)
    within = math.fsum((value - centre) ** 2 for group, centre in pairs for value in group) / (count - len(groups))
    size = (count - squares / count) / (len(groups) - 1)
    return math.sqrt(max(0.0, between - within) / size * squares) / count

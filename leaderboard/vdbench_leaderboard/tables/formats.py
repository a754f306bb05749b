"""Numbers as readers see them, the same in every document, and as the CSV holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdbench.storage.amounts import human_bytes, human_seconds

if TYPE_CHECKING:
    from vdbench_leaderboard.statistics.estimates import Estimate

NOTHING = "–"


def percent(value: float | None) -> str:
    """One decimal: ``52.1``."""
    return NOTHING if value is None else f"{value:.1f}"


def points(value: float | None) -> str:
    """One decimal and a sign: ``+3.2``."""
    return NOTHING if value is None else f"{value:+.1f}".replace("-", "−")


def estimate(value: Estimate | None) -> str:
    """Mean and standard deviation: ``52.1 ± 1.3``, or the mean alone where nothing was repeated."""
    if value is None:
        return NOTHING
    mean = percent(value.mean)
    return mean if value.std is None else f"{mean} ± {percent(value.std)}"


def fraction(value: float | None) -> str:
    """Three decimals: ``0.269``."""
    return NOTHING if value is None else f"{value:.3f}".replace("-", "−")


def fractions(value: Estimate | None) -> str:
    """Mean and standard deviation of a score from 0 to 1: ``0.259 ± 0.009``."""
    if value is None or value.std is None:
        return fraction(value.mean if value else None)
    return f"{fraction(value.mean)} ± {fraction(value.std)}"


def interval(value: Estimate | None) -> str:
    """The 95 % interval: ``50.2 … 54.0``."""
    if value is None or value.low is None:
        return NOTHING
    return f"{percent(value.low)} … {percent(value.high)}".replace("-", "−")


def accuracy_interval(value: Estimate | None) -> str:
    """The 95 % interval of an accuracy in percent, which ends where accuracies do: ``97.1 … 100.0``."""
    if value is None or value.low is None or value.high is None:
        return NOTHING
    return f"{percent(max(value.low, 0.0))} … {percent(min(value.high, 100.0))}"


def size(count: float | None) -> str:
    """Bytes: ``12.0 KiB``."""
    return NOTHING if count is None else human_bytes(count)


def duration(seconds: float | None) -> str:
    """A stretch of time: ``45 s``."""
    return NOTHING if seconds is None else human_seconds(seconds)


def whole(value: float | None) -> str:
    """A number of things, or a mean of such numbers: ``1,200``, ``2.5``."""
    return NOTHING if value is None else f"{value:,.1f}".removesuffix(".0")


def probability(p: float | None) -> str:
    """Three decimals: ``0.041``, or ``< 0.001``."""
    return NOTHING if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def rounded(value: float | None) -> float | None:
    """A value of the CSV: four decimals; a difference of nothing is 0, never -0."""
    return None if value is None else round(value, 4) + 0.0


def parts(name: str, value: Estimate | None) -> dict[str, float | None]:
    """The columns of an estimate in the CSV: its mean, its standard deviation and the ends of its interval."""
    ends = {"": "mean", "_spread": "std", "_low": "low", "_high": "high"}
    return {name + suffix: rounded(getattr(value, part, None)) for suffix, part in ends.items()}

"""What a trial reports while it distils is kept, thinned, and nothing of other stages with it."""

from pathlib import Path

from tests.experiment.test_stopping import job
from vdbench.experiment import worker


def test_a_curve_is_thinned_and_keeps_its_ends(tmp_path: Path) -> None:
    progress = worker._Progress(worker._silent, job(tmp_path))
    with progress.during("assets"):
        progress(1, loss=99.0)
    with progress.during("distill"):
        for step in range(1, 1001):
            progress(step, of=1000, loss=1 / step, note="a word")
        progress(1000, reward=0.5)
        (curve,) = progress.curves.values()
    assert list(progress.curves) == ["loss"]
    assert len(curve) == worker.CURVE_POINTS
    assert curve[0] == (1, 1.0)
    assert curve[-1] == (1000, 0.001)
    assert [step for step, _ in curve] == sorted({step for step, _ in curve})


def test_a_short_curve_is_kept_whole(tmp_path: Path) -> None:
    progress = worker._Progress(worker._silent, job(tmp_path))
    with progress.during("distill"):
        for step in range(3):
            progress(step, loss=float(step))
    assert progress.curves == {"loss": ((0, 0.0), (1, 1.0), (2, 2.0))}

"""motion-digits is about time: a student that sees one frame of a clip, repeated, is left with chance."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import Digits
from vdbench.clips.clipset import ClipSet
from vdbench.datasets.prepare import prepared_store
from vdbench.datasets.view import open_view
from vdbench.evaluation.evaluate import evaluate
from vdbench.experiment.suite import load_suite

CHANCE = 1 / 8


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, digits: Digits) -> Callable[[Callable[[ClipSet], ClipSet]], float]:
    """Top-1 of one student under the quick suite, trained and tested on the full splits as changed by a function."""
    home = digits(tmp_path_factory.mktemp("home"))
    protocol = load_suite("quick").protocol
    view = open_view(prepared_store("motion-digits", home), home, **protocol.data())

    def top1(change: Callable[[ClipSet], ClipSet]) -> float:
        train, test = change(view.train), change(view.test)
        (scores,) = evaluate(train, test, protocol.students, protocol.recipe, [0], torch.device("cpu"))
        return scores.scores[0].top1

    return top1


def repeated(frame: int) -> Callable[[ClipSet], ClipSet]:
    return lambda part: replace(part, clips=np.repeat(part.clips[:, frame : frame + 1], part.frames, axis=1))


@pytest.mark.slow
def test_a_student_learns_the_motion(judged: Callable[[Callable[[ClipSet], ClipSet]], float]) -> None:
    assert judged(lambda part: part) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize("frame", [0, 7])
def test_one_frame_repeated_tells_nothing(judged: Callable[[Callable[[ClipSet], ClipSet]], float], frame: int) -> None:
    spread = np.sqrt(CHANCE * (1 - CHANCE) / 256)  # of a guess on 256 test clips
    assert judged(repeated(frame)) < CHANCE + 4 * spread

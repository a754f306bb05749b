"""The suite ``as-published``, step by step, beside the public code's description told in plain loops.

A video's windows stand for its starts. Train clips are read once from a start drawn at random, mirrored or not. A
network sees all test clips three times, each time from other starts, in batches of 64 that are scaled by their own mean
and deviation over all numbers; its score is the mean of the three. It is trained for one epoch more than half of them
plus one at the full rate, and then at a tenth of it by an optimiser that has forgotten its momentum. Before all of it,
pixels are scaled by ImageNet's constants.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import vdbench
import worlds
from vdbench.clips.clipset import ClipSet
from vdbench.datasets.geometry import Geometry
from vdbench.datasets.prepare import prepare
from vdbench.datasets.readings import Readings
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.view import View, open_view
from vdbench.evaluation.evaluate import evaluate
from vdbench.evaluation.networks import StudentSpec
from vdbench.experiment.suite import load_suite
from vdbench.students.student import Student

CPU = torch.device("cpu")
WINDOWS, FRAMES, SIZE = 3, 8, 32
STRIDED = Geometry(frames=FRAMES, sampling="strided", gap=1, resize=(44, 33), size=SIZE, windows=WINDOWS)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
Made = tuple[View, View, np.ndarray, dict[str, int]]


class Linear(Student):
    """Logits of a clip's frames, each the mean of four by four blocks: weights by formula, nothing drawn."""

    name = "linear"
    default_width = 1

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, FRAMES, SIZE, 1)
        self.weights = torch.nn.Parameter(
            0.01 * torch.cos(torch.arange(num_classes * 3 * FRAMES * 16.0)).view(num_classes, -1)
        )

    def embed(self, clips: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool3d(clips, (1, 8, 8)).flatten(1)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.embed(clips) @ self.weights.T


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A world read at random and in the middle, its stored windows ``(N, W, T, H, W, 3)``, and the row of each clip."""
    folder = tmp_path_factory.mktemp("as-published")
    world = worlds.ucf_world(folder / "data", classes=3, groups=6, clips=2)
    scale = load_dataset("miniucf-as-published").normalisation
    spec = world.spec.model_copy(update={"name": "as-published", "geometry": STRIDED, "normalisation": scale})
    store = prepare(spec, world.root, folder / "home", workers=2)
    windows = np.asarray(store.clips).reshape(-1, WINDOWS, FRAMES, SIZE, SIZE, 3)
    rows = {clip.id: clip.row for clip in store.manifest.clips if clip.row is not None}
    return open_view(store, folder / "home", readings=3), open_view(store, folder / "home"), windows, rows


def reading(clip: np.ndarray, windows: np.ndarray) -> tuple[int, bool]:
    """Which window a clip is, and whether it is mirrored."""
    (found,) = [
        (window, mirrored)
        for window in range(WINDOWS)
        for mirrored in (False, True)
        if np.array_equal(clip, windows[window][:, :, ::-1] if mirrored else windows[window])
    ]
    return found


def test_windows_are_the_frames_of_the_video_from_their_starts(made: Made) -> None:
    """Videos of 20 frames have 13 starts for 8 frames in a row: 1, 6 and 10 are spread evenly over them."""
    _, _, windows, _ = made
    assert STRIDED.picks(20)[::FRAMES] == [1, 6, 10]
    for one in windows:  # every frame is brighter than the one before it
        ground = np.median(one, axis=(2, 3, 4))
        assert np.all(np.diff(ground, axis=1) > 0)
        assert np.allclose(ground[:, 0], [20 + 10, 20 + 6 * 10, 20 + 10 * 10], atol=6)


def test_train_clips_are_read_once_at_random_and_test_clips_three_times(made: Made) -> None:
    random, middle, windows, rows = made
    assert random.facts.model_dump(exclude={"fingerprint"}) == middle.facts.model_dump(exclude={"fingerprint"})
    assert middle.readings is None and len(middle.test) == random.facts.test_clips == 6
    assert all(
        reading(clip, windows[rows[name]]) == (1, False)
        for clip, name in zip(middle.train.clips, middle.train.ids, strict=True)
    )
    assert random.train.ids == middle.train.ids
    drawn = Counter(
        reading(clip, windows[rows[name]]) for clip, name in zip(random.train.clips, random.train.ids, strict=True)
    )
    assert len(drawn) == 2 * WINDOWS, "30 clips: a window that never came up has odds of 1 in 40,000"
    assert random.test.ids == tuple(middle.test.ids) + tuple(f"{name}#{n}" for n in (2, 3) for name in middle.test.ids)
    assert random.test.labels.tolist() == 3 * middle.test.labels.tolist()


def test_every_network_reads_the_test_clips_anew(made: Made) -> None:
    random, _, windows, rows = made
    assert random.readings is not None
    drawn = [
        [reading(clip, windows[rows[name.split("#")[0]]]) for clip, name in zip(some.clips, some.ids, strict=True)]
        for some in (random.readings.of(seed) for seed in range(20))
    ]
    counts = Counter(one for some in drawn for one in some)
    assert len(counts) == 6 and min(counts.values()) > 30 and max(counts.values()) < 90  # of 360, 60 each, deviation 7
    assert len({tuple(some) for some in drawn}) == 20
    assert any(some[:6] != some[6:12] for some in drawn)
    assert np.array_equal(random.readings.of(0).clips, random.test.clips)
    assert np.array_equal(random.readings.of(7).clips, random.readings.of(7).clips)


def test_clips_whose_class_has_a_direction_are_not_mirrored(tmp_path: Path) -> None:
    world = worlds.ucf_world(tmp_path / "data", classes=2, groups=3, clips=2)
    spec = world.spec.model_copy(update={"geometry": STRIDED, "directed": True})
    view = open_view(store := prepare(spec, world.root, tmp_path / "home", workers=2), tmp_path / "home", readings=2)
    windows = np.asarray(store.clips).reshape(-1, WINDOWS, FRAMES, SIZE, SIZE, 3)
    rows = {clip.id: clip.row for clip in store.manifest.clips}
    assert not any(
        reading(clip, windows[rows[name]])[1] for clip, name in zip(view.train.clips, view.train.ids, strict=True)
    )


def shown_often(view: View, times: int) -> Readings:
    """Readings of the same test clips so many times over."""
    first, rows = view.readings.first, view.readings.rows  # type: ignore[union-attr]
    each = len(rows) // 3
    order = [number * each + row for number in range(3) for _ in range(times) for row in range(each)]
    return replace(view.readings, rows=tuple(rows[row] for row in order), first=first.some(order))  # type: ignore[type-var]


@pytest.mark.parametrize(("batch", "times"), [(256, 1), (8, 12)])
def test_scores_are_those_of_the_description(
    made: Made, monkeypatch: pytest.MonkeyPatch, batch: int, times: int
) -> None:
    """30 train clips in one batch and in four, 6 test clips in one batch per reading and 72 in two."""
    view, _, _, _ = made
    monkeypatch.setattr("vdbench.evaluation.networks.build_student", lambda *_: Linear(3))
    suite = load_suite("as-published").protocol
    assert (suite.readings, suite.recipe.epochs, suite.recipe.augmentation) == (3, 501, None)
    recipe = suite.recipe.model_copy(update={"epochs": 13, "lr": 0.05, "batch": batch})
    readings = shown_often(view, times)
    (scores,) = evaluate(
        view.train, readings.first, [StudentSpec(name="linear")], recipe, [4, 5], CPU,
        checkpoints=[5 / 13, 1.0], readings=readings,
    )  # fmt: skip
    for score in scores.scores:
        assert (score.top1, [point.top1 for point in score.checkpoints]) == literal(view, score.seed, batch, readings)
    assert sum(count for *_, count in scores.confusion) == 2 * 3 * 6 * times


def pixels(clips: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> torch.Tensor:
    """``(N, 3, T, H, W)``, scaled by constants, as public code scales by ImageNet's."""
    values = (torch.from_numpy(np.array(clips)).permute(0, 4, 1, 2, 3) / 255).float()
    return (values - torch.tensor(mean).view(3, 1, 1, 1)) / torch.tensor(std).view(3, 1, 1, 1)


def standardised(batch: torch.Tensor) -> torch.Tensor:
    return (batch - batch.mean()) / batch.std()


def literal(view: View, seed: int, batch: int, readings: Readings) -> tuple[float, list[float]]:
    """Train and test as described: the score at the end, and those after 5 and all of 13 epochs."""
    network, labels = Linear(3), torch.from_numpy(view.train.labels)
    clips = pixels(view.train.clips, *IMAGENET)
    order = torch.Generator().manual_seed(seed)
    velocity, on_the_way = None, []
    for epoch in range(13):
        if epoch == 12 // 2 + 2:
            velocity = None
        rate = 0.05 if epoch < 12 // 2 + 2 else 0.005
        drawn = torch.randperm(len(clips), generator=order)
        for first in range(0, len(clips), batch):
            rows = drawn[first : first + batch]
            loss = torch.nn.functional.cross_entropy(network(standardised(clips[rows])), labels[rows])
            (gradient,) = torch.autograd.grad(loss, network.weights)
            gradient = gradient + 0.0005 * network.weights.detach()
            velocity = gradient if velocity is None else 0.9 * velocity + gradient
            with torch.no_grad():
                network.weights -= rate * velocity
        if epoch in (4, 12):
            on_the_way.append(three_passes(network, readings.of(seed)))
    return on_the_way[-1], on_the_way


def three_passes(network: Linear, shown: ClipSet) -> float:
    """The share of right answers, batch by batch of 64 clips of one reading."""
    right, each = 0, len(shown) // 3
    clips = pixels(shown.clips, *IMAGENET)
    for number in range(3):
        for first in range(0, each, 64):
            rows = slice(number * each + first, number * each + min(first + 64, each))
            right += int((network(standardised(clips[rows])).argmax(dim=1).numpy() == shown.labels[rows]).sum())
    return right / len(shown)


def test_no_batch_has_clips_of_two_readings(made: Made) -> None:
    """A reading's scores are those that it has by itself, though batches are scaled as a whole."""
    from vdbench.evaluation.passes import test_student

    view, recipe, network = made[0], load_suite("as-published").protocol.recipe, Linear(3)
    (together,) = test_student(network, view.test, CPU, seen=recipe.shown, readings=3)
    for number in range(3):
        rows = list(range(6 * number, 6 * (number + 1)))
        (own,) = test_student(network, view.test.some(rows), CPU, seen=recipe.shown)
        torch.testing.assert_close(together[rows], own)


def test_the_suite_runs_as_a_whole(tmp_path: Path) -> None:
    """With ``random`` alone, at a small size: three readings, tests on the way, and all other clips as train part."""
    spec, world = load_dataset("hmdb51-as-published"), worlds.hmdb_world(tmp_path / "data", classes=2)
    geometry = spec.geometry.at(4, 16)
    assert geometry.windows == 8 and not geometry.antialias
    prepare(spec, world.root, tmp_path / "home", partial=True, workers=1, geometry=geometry)
    small = {
        "protocol.frames": 4, "protocol.size": 16, "protocol.evaluation_seeds": 2,
        "protocol.students": [{"name": "minic3d", "width": 4}],
        "protocol.recipe.epochs": 13, "protocol.recipe.batch": 8,
    }  # fmt: skip
    done = vdbench.run(
        "random", spec.name, 1, 1, suite="as-published", set=small, partial=True, home=tmp_path / "home",
        scheduler="inline",
    )  # fmt: skip
    assert not done.failures and {result.method for result in done.results} == {"random", "full"}
    for result in done.results:
        assert (result.suite, result.step_size, result.health) == ("as-published-modified", None, ())
        # of each class: three sources of two clips each, and one clip that is in no part of the official split
        assert (result.dataset.train_clips, result.dataset.test_clips) == (2 * 7, 2 * 2)
        (student,) = result.students
        steps = 13 if result.method == "random" else 26
        for score in student.scores:
            assert [point.step for point in score.checkpoints] == [-(-steps * part // 5) for part in range(1, 6)]
            assert score.checkpoints[-1].top1 == score.top1
            assert 12 * score.top1 == pytest.approx(round(12 * score.top1))
        assert sum(count for *_, count in student.confusion) == 2 * 3 * 4

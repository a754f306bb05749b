"""Encoders, teachers and experts are drawn anew for every selection seed, up to the number that the suite sets."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from tests.cli.conftest import Cli, results, tiny_run
from vdbench.encoders.trained import TrainedMiniC3D
from vdbench.experiment.result import Result
from vdbench.students.recurrent import CnnGru
from vdbench.work.assets import Assets, AssetSpec
from vdbench_methods.difficulty import EL2N

Planned = Callable[..., list[Result]]


class Inner(AssetSpec[None]):
    kind: ClassVar[str] = "inner"
    student: TrainedMiniC3D
    seed: int = 5

    def build(self, assets: Assets, folder: Path) -> None:
        raise NotImplementedError

    def load(self, folder: Path) -> None:
        raise NotImplementedError


class Outer(Inner):
    kind: ClassVar[str] = "outer"
    inner: Inner


def test_networks_at_any_depth_are_drawn_and_other_seeds_stay() -> None:
    student = TrainedMiniC3D(seed=7, width=4, epochs=1, max_steps=1)
    spec = Outer(student=student, inner=Inner(student=student))
    assert spec.drawn(0) == spec
    drawn = spec.drawn(2)
    assert (drawn.student.seed, drawn.inner.student.seed) == (9, 9)
    assert (drawn.seed, drawn.inner.seed) == (5, 5)


def test_several_networks_are_replaced_by_as_many_others() -> None:
    networks = [{network.seed for network in EL2N().features().drawn(draw).students} for draw in range(3)]
    assert [len(seeds) for seeds in networks] == [5, 5, 5]
    assert len(set.union(*networks)) == 15


def by_seed(planned: Planned, method: str, *more: object, suite: str = "quick") -> list[Result]:
    found = planned("--partial", "--suite", suite, "--methods", method, "--ipc", 1, "--seeds", 5, *more)
    return sorted((r for r in found if r.method == method), key=lambda result: result.seed)


@pytest.mark.parametrize("method", ["herding", "el2n", "forgetting", "rded", "mtt", "frepo", "vdsd", "vst-unet"])
def test_only_seeds_of_another_draw_are_other_trials_than_with_one_draw(planned: Planned, method: str) -> None:
    """Also where a teacher labels random clips beside those that have learned labels."""
    more = {"vst-unet": ("--set", "vst-unet.pool=real"), "vdsd": ("--set", "vdsd.base=frepo")}.get(method, ())
    three, one = by_seed(planned, method, *more), by_seed(planned, method, *more, "--set", "protocol.draws=1")
    same = [a.id == b.id for a, b in zip(three, one, strict=True)]
    assert same == [True, False, False, True, False]  # the draws 0 1 2 0 1
    assert {result.draws for result in three} == {3}


def test_while_seeds_are_added_each_has_a_draw_of_its_own_and_what_a_run_would_share_stays(planned: Planned) -> None:
    search = ("--until", "told", "--most-seeds", 5)
    fixed, added = by_seed(planned, "herding"), by_seed(planned, "herding", *search)
    assert [a.id == b.id for a, b in zip(fixed, added, strict=True)] == [True, True, True, False, False]
    assert ({result.draws for result in added}, {result.suite for result in added}) == ({5}, {"quick"})
    asked = by_seed(planned, "herding", *search, "--set", "protocol.draws=3")
    assert [result.id for result in asked] == [result.id for result in fixed]
    pixels = ("--set", "herding.encoder=pixels")
    same = [[result.id for result in by_seed(planned, "herding", *pixels, *more)] for more in ((), search)]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("method", "settings"),
    [("random", ()), ("full", ()), ("dm", ()), ("vdsd", ("base=dm",)), ("herding", ("encoder=pixels",))],
)
def test_a_trial_that_uses_no_trained_network_is_the_same_whatever_the_draws(
    planned: Planned, method: str, settings: tuple[str, ...]
) -> None:
    more = [word for value in settings for word in ("--set", f"{method}.{value}")]
    three, one = by_seed(planned, method, *more), by_seed(planned, method, *more, "--set", "protocol.draws=1")
    assert [result.id for result in three] == [result.id for result in one]
    assert {result.draws for result in (*three, *one)} == {None}


def test_soft_labels_of_the_protocol_are_of_as_many_teachers(planned: Planned) -> None:
    three = by_seed(planned, "random", suite="small")
    one = by_seed(planned, "random", "--set", "protocol.draws=1", suite="small")
    assert [a.id == b.id for a, b in zip(three, one, strict=True)] == [True, False, False, True, False]


def test_a_run_trains_an_encoder_per_draw_and_selects_once_per_encoder(cli: Cli, home: Path) -> None:
    run = tiny_run(home, "--seeds", 4, "--set", "herding.encoder.epochs=1", methods="herding")
    assert cli(*run).code == 0
    herding = {r.seed: r for r in results(home).values() if r.method == "herding"}
    assert len(list((home / "assets" / "minic3d").glob("[!.]*"))) == 3
    assert herding[0].distilled == herding[3].distilled
    assert len({result.distilled for result in herding.values()}) == 3


@pytest.mark.parametrize("method", ["dm", "mtt"])
def test_clips_learned_through_another_version_of_a_network_are_other_clips(
    planned: Planned, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--set", f"{method}.student=cnn-gru", "--seeds", 1)
    (before,) = by_seed(planned, method, *more)
    monkeypatch.setattr(CnnGru, "version", CnnGru.version + 1)
    (after,) = by_seed(planned, method, *more)
    assert before.id != after.id  # both are judged by a MiniC3D

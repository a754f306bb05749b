"""The suites that have the settings and the evaluation of the public scripts of FRePo with static-dynamic clips."""

from pathlib import Path

import pytest

import vdbench
import worlds
from vdbench.datasets.prepare import prepare
from vdbench.datasets.spec import load_dataset
from vdbench.experiment.suite import load_suite, merged
from vdbench.registry import Registry
from vdbench_methods.static_dynamic import VDSDSettings


def published(ipc: int, suite: str = "vdsd") -> VDSDSettings:
    chosen = {"base": "frepo"}
    given = merged(load_suite(suite).prescribed("vdsd", "miniucf", ipc, chosen), chosen)
    found: VDSDSettings = Registry().configure("vdsd", None, given).settings
    return found


@pytest.mark.parametrize("ipc", [1, 5, 10])
def test_the_suites_have_the_settings_of_the_public_scripts(ipc: int) -> None:
    found = published(ipc)
    assert found == published(ipc, "as-published")
    own = load_suite("as-published-frepo").prescribed("vdsd", "miniucf", ipc, {})  # which chooses the base itself
    assert found == Registry().configure("vdsd", None, own).settings
    assert (found.iterations, found.lr_dynamic, found.lr_hallucinator) == (10000, 100, 1e-3)
    assert (found.pairing, found.pairs(50, ipc, 16, 112)) == ("fixed", (ipc, ipc))
    regression = found.regression
    assert (regression.real, regression.lr_labels, regression.ridge, regression.learn_labels) == (512, 1e-3, 1e-6, True)
    assert (regression.networks, regression.online_steps, regression.online_lr) == (10, 100, 1e-4)
    assert (regression.margin, regression.label_scale) == (True, "classes")
    assert (regression.schedule, regression.online_schedule) == ("cosine", "warm-up")


def test_motions_hallucinator_and_labels_have_the_public_rates() -> None:
    """At its settings: 100 and 0.001 first, by cosines to one floor."""
    found = published(5)
    learned = found.regression
    for step, motions, others in (
        (0, 100.0, 1e-3),
        (1, 99.9999975326, 9.99999977793e-4),
        (2500, 85.355353704, 8.68198051534e-4),
        (5000, 50.00005, 5.5e-4),
        (9999, 0.00010246739861, 1.00000022207e-4),
        (10000, 1e-4, 1e-4),
    ):
        assert learned.rate(found.lr_dynamic, step, found.iterations) == pytest.approx(motions, rel=1e-9)
        for first in (found.lr_hallucinator, learned.lr_labels):
            assert learned.rate(first, step, found.iterations) == pytest.approx(others, rel=1e-9)


def test_its_own_suite_judges_as_the_public_scripts_do() -> None:
    protocol, usual = load_suite("as-published-frepo").protocol, load_suite("as-published").protocol
    recipe = protocol.recipe
    assert (recipe.optimiser, recipe.lr, recipe.momentum, recipe.weight_decay) == ("adamw", 1e-4, 0.9, 5e-4)
    assert (recipe.epochs, recipe.batch, recipe.schedule, recipe.loss) == (1001, 500, "warm-up", "squared")
    assert recipe.standardise == "split"
    assert (protocol.readings, protocol.evaluation_seeds) == (1, 3)
    same = {name: getattr(usual, name) for name in ("recipe", "checkpoints", "readings", "evaluation_seeds")}
    assert protocol.model_copy(update=same) == usual


def test_its_own_suite_runs_as_a_whole_at_the_public_rates(tmp_path: Path) -> None:
    """At a small size: what is learned is finite, students are trained on soft labels, and tested once."""
    spec, world = load_dataset("hmdb51-as-published"), worlds.hmdb_world(tmp_path / "data", classes=2)
    prepare(spec, world.root, tmp_path / "home", partial=True, workers=1, geometry=spec.geometry.at(4, 16))
    small = {
        "protocol.frames": 4, "protocol.size": 16, "protocol.students": [{"name": "minic3d", "width": 4}],
        "protocol.recipe.epochs": 11, "protocol.recipe.batch": 8, "vdsd.width": 4, "vdsd.iterations": 12,
        "vdsd.static_iterations": 1, "vdsd.static_width": 4, "vdsd.regression.networks": 2,
    }  # fmt: skip
    done = vdbench.run(
        None, spec.name, 1, 1, suite="as-published-frepo", set=small, partial=True, home=tmp_path / "home",
    )  # fmt: skip
    assert not done.failures
    (learned,) = (result for result in done.results if result.method == "vdsd")
    assert {result.method for result in done.results} == {"random", "full", "vdsd"}
    assert (learned.labels, learned.settings["base"], learned.settings["lr_dynamic"]) == ("soft", "frepo", 100)
    assert learned.stored_bytes == 4 * (2 * (3 + 4) * 16 * 16 + 327 + 2 * 2)
    (student,) = learned.students
    assert len(student.scores) == 3

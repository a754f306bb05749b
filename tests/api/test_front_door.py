"""The six functions that ``import vdbench`` offers: light to import, and the same as the command line."""

from pathlib import Path

import numpy as np
import pytest
import torch

import vdbench
from tests.api.conftest import SIX, SMALL, TINY, call, python, tiny_run, typed
from vdbench.api.asking import nested
from vdbench.api.tables import COLUMNS, NETWORK
from vdbench.distilled import DistilledSet
from vdbench.distilled.outside.loading import Reading
from vdbench.errors import DataError, UsageError, VdbenchError
from vdbench.experiment.bench import Bench
from vdbench.experiment.home import Home
from vdbench.experiment.suite import load_suite
from vdbench_methods.herding import Herding


def test_importing_is_light_and_says_what_there_is() -> None:
    code = """
import sys
import vdbench
print(*sorted(set(dir(vdbench)) & set(vdbench.__all__)))
print(*(name for name in ("torch", "ray", "pandas", "numpy", "mlflow", "pydantic") if name in sys.modules))
try:
    vdbench.distil
except AttributeError as error:
    print(error)
"""
    names, heavy, error = python(code).stdout.split("\n")[:3]
    assert names.split() == ["__version__", *SIX]
    assert heavy == ""
    assert error == "module 'vdbench' has no attribute 'distil'"


def test_inline_without_tracking_needs_neither_ray_nor_mlflow(home: Path) -> None:
    code = f"""
import sys
for missing in ("ray", "mlflow"):
    sys.modules[missing] = None
import vdbench
done = vdbench.run("herding", "ucf101", 1, 1, partial=True, suite="quick", set={TINY!r})
print(len(done.results), len(done.failures))
"""
    ended = python(code, VDBENCH_HOME=str(home))
    assert (ended.stdout, ended.stderr) == ("3 0\n", "")


def test_looking_at_clips_and_results_needs_no_torch(home: Path) -> None:
    code = f"""
import sys
sys.modules["torch"] = None
import vdbench
print(len(vdbench.load_dataset("ucf101", "quick").train))
print(len(vdbench.load_results({str(home / "stores")!r})))
"""
    ended = python(code, VDBENCH_HOME=str(home))
    assert ended.stdout.split()[1:] == ["0"] and int(ended.stdout.split()[0]) > 0, ended.stderr


def test_train_and_validation_clips_are_handed_out_and_test_clips_are_not(home: Path) -> None:
    suite = load_suite("quick", nested(TINY)["protocol"])
    clips = vdbench.load_dataset("ucf101", suite)
    view = Bench.open("ucf101", suite.protocol, Home(home), "cpu").view
    assert clips._fields == ("train", "validation")
    assert (clips.train.fingerprint, clips.validation.ids) == (view.train.fingerprint, view.validation.ids)
    assert len(clips.validation) and not {*clips.train.ids, *clips.validation.ids} & set(view.test.ids)
    other = vdbench.load_dataset("ucf101", suite, split=2)
    assert set(other.train.ids) & set(view.test.ids)
    with pytest.raises(UsageError, match="has no split 9"):
        vdbench.load_dataset("ucf101", suite, split=9)


def test_a_run_from_python_finds_what_the_command_line_ran_and_the_other_way_round(home: Path) -> None:
    call(typed(home, "--methods", "random", "--set", "herding.encoder=pixels", "--methods", "herding"))
    before = {result.id: result.started for result in Home(home).results}
    done = tiny_run(methods=["herding", "k-center"], set=TINY | {"herding.encoder": "pixels"})
    after = {result.id: result.started for result in Home(home).results}
    assert len(before) == 3 and len(done.results) == len(after) == 4
    assert {trial: after[trial] for trial in before} == before
    again = tiny_run(methods=Herding(Herding.Settings(encoder="pixels")))
    assert {result.id for result in again.results} == set(before)


def test_instances_of_one_method_run_side_by_side(home: Path) -> None:
    two = [Herding(Herding.Settings(encoder={"name": "pixels", "dim": dim})) for dim in (3, 4)]
    done = tiny_run(methods=["random", *two, "k-center"], set=TINY | {"k-center.encoder": "pixels"})
    assert sorted(result.method for result in done.results) == ["full", "herding", "herding", "k-center", "random"]
    dims = {result.settings["encoder"]["dim"] for result in done.results if result.method == "herding"}
    assert dims == {3, 4} and done._repr_html_().count("<td>herding</td>") == 2


def test_a_class_of_a_module_is_the_method_of_that_plugin_file(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(["methods", "new", "of-a-module", "--folder", str(tmp_path)])
    plugin = tmp_path / "of_a_module.py"
    call(typed(home, "--methods", "of-a-module", "--plugin", plugin, "--set", "of-a-module.encoder=pixels"))
    monkeypatch.syspath_prepend(tmp_path)
    from of_a_module import OfAModule  # type: ignore[import-not-found]

    before = {result.id: result.started for result in Home(home).results}
    for more in ({}, {"plugins": [plugin]}):
        tiny_run(methods=OfAModule, set=TINY | {"of-a-module.encoder": "pixels"}, **more)
    assert {result.id: result.started for result in Home(home).results} == before and len(before) == 3


@pytest.mark.slow
def test_trials_are_tracked_where_that_is_asked_for(home: Path) -> None:
    tiny_run(methods="random")
    assert not (home / "mlflow").exists()
    tiny_run(methods="random", ipc=2, tracking=True)
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{home / 'mlflow' / 'mlflow.db'}")
    found = [run for e in client.search_experiments() for run in client.search_runs([e.experiment_id])]
    (trial,) = (run for run in found if "trial" in run.data.tags)  # full was done
    assert trial.data.params["method"] == "random" and trial.info.status == "FINISHED"


def test_one_set_is_the_one_of_a_run_and_is_made_once(home: Path) -> None:
    small = vdbench.distill("random", "ucf101", ipc=2, seed=1, partial=True, **SMALL)
    (folder,) = (path.parent for path in (home / "distilled").glob("*/distilled.json"))
    made = (folder / "tensors.safetensors").stat().st_mtime_ns
    done = tiny_run(methods="random", ipc=2, seeds=[1])
    result = next(result for result in done.results if result.method == "random")
    assert result.distilled == folder.name and (folder / "tensors.safetensors").stat().st_mtime_ns == made
    assert torch.equal(small.tensors["clips"], DistilledSet.load(folder).tensors["clips"])
    assert (
        len(list((home / "results").glob("*.json"))) == 2
    )  # distilling recorded none, and there is one control beside it


def test_judging_gives_the_scores_of_a_run_whatever_the_clips_come_in(home: Path) -> None:
    result = next(result for result in tiny_run(methods="random", ipc=2).results if result.method == "random")
    folder = home / "distilled" / str(result.distilled)
    small = DistilledSet.load(folder)
    wanted = [score.top1 for score in result.students[0].scores]
    outcomes = [score.outcomes for score in result.students[0].scores]
    assert None not in outcomes
    names = [small.classes[label] for label in small.labels()]
    unit = small.pixels().float() / 255
    forms = [small, folder, str(folder), (small.pixels(), small.labels()), (small.pixels().numpy(), names)]
    for form in forms:
        judged = vdbench.evaluate(form, "ucf101", **SMALL)
        assert list(judged.frame().top1) == wanted
        assert judged.top1 == pytest.approx(np.mean(wanted))
        assert judged.evaluation.tested.fingerprint == result.test_set
        assert [score.outcomes for scores in judged.evaluation.students for score in scores.scores] == outcomes
    judged = vdbench.evaluate((unit, small.labels()), "ucf101", reading=Reading(pixels="unit"), **SMALL)
    assert torch.equal(judged.distilled.pixels(), small.pixels())
    train = vdbench.load_dataset("ucf101", load_suite("quick", nested(TINY)["protocol"])).train
    assert len(vdbench.evaluate(train, "ucf101", **SMALL).distilled) == len(train)


def test_networks_and_their_number_can_be_chosen(home: Path) -> None:
    small = vdbench.distill("random", "ucf101", partial=True, **SMALL)
    judged = vdbench.evaluate(small, seeds=3, students="minic3d", seed=2, **SMALL)
    assert list(judged.frame().network) == [2000, 2001, 2002] and set(judged.frame().width) == {64}
    assert judged.suite == "quick-modified" and "ucf101" in repr(judged)
    assert list(judged.frame().columns) == list(NETWORK)


def test_what_cannot_be_judged_is_refused(home: Path) -> None:
    small = vdbench.distill("random", "ucf101", partial=True, **SMALL)
    clips = small.render()[0]
    clips[0] = float("nan")
    with pytest.raises(VdbenchError, match="not finite"):
        vdbench.evaluate((clips, small.labels()), "ucf101", reading=Reading(pixels="normalised"), **SMALL)
    with pytest.raises(DataError, match="classes from 0 to 2"):
        vdbench.evaluate((small.pixels(), small.labels() + 3), "ucf101", **SMALL)
    with pytest.raises(UsageError, match="a list cannot be evaluated"):
        vdbench.evaluate([1], "ucf101", **SMALL)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="only protocol"):
        vdbench.evaluate(small, set={"dm.lr": 1})


def test_every_network_is_a_row_and_failed_trials_are_none(home: Path) -> None:
    done = tiny_run(methods=["random", "herding"], seeds=2, timeout=None)
    failed = tiny_run(methods="k-center", timeout=1e-9)
    assert [result.method for result in failed.failures] == ["k-center"] and "not finished" in failed._repr_html_()
    frame = vdbench.load_results(home / "results")
    assert list(frame.columns) == list(COLUMNS) and len(frame) == 12
    by = ["result", "network"]
    assert frame.sort_values(by, ignore_index=True).equals(done.frame().sort_values(by, ignore_index=True))
    stored = {result.id: result for result in Home(home).results}
    for row in frame.itertuples():
        scores = {score.seed: score for score in stored[row.result].students[0].scores}
        assert (row.top1, row.seed) == (scores[row.network].top1, stored[row.result].seed)
    assert frame.ipc.isna().tolist() == (frame.method == "full").tolist()
    empty = vdbench.load_results(home / "stores")
    assert empty.empty and empty.dtypes.equals(frame.dtypes)
    with pytest.raises(DataError, match="there is no folder"):
        vdbench.load_results(home / "nothing")
    with pytest.raises(DataError, match=f"but its folder results does; give {home / 'results'}$"):
        vdbench.load_results(home)


def test_a_suite_may_be_a_file_or_an_object(home: Path, tmp_path: Path) -> None:
    declared = load_suite("quick", nested(TINY)["protocol"])
    file = tmp_path / "mine.yaml"
    file.write_text(declared.model_dump_json(exclude={"name"}))
    by_object = tiny_run(methods="random", suite=declared, set=None)
    by_file = tiny_run(methods="random", suite=file, set=None)
    assert {result.id for result in by_file.results} == {result.id for result in by_object.results}
    with pytest.raises(UsageError, match="there is no suite file"):
        tiny_run(methods="random", suite=tmp_path / "other.yaml")

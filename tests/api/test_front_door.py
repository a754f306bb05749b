"""The six functions that ``import vdbench`` offers: light to import, and the same as the command line."""

import inspect
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import vdbench
from tests.api.conftest import SMALL, TINY
from vdbench.api.asking import nested
from vdbench.api.runs import Run
from vdbench.api.tables import COLUMNS, NETWORK
from vdbench.cli import app
from vdbench.distilled import DistilledSet
from vdbench.distilled.outside.loading import Reading
from vdbench.errors import DataError, UsageError, VdbenchError
from vdbench.experiment.bench import Bench
from vdbench.experiment.home import Home
from vdbench.experiment.suite import load_suite
from vdbench_methods.herding import Herding

SIX = ("distill", "evaluate", "load_dataset", "load_results", "new_dataset", "run")


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a fresh process does with some code."""
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False, capture_output=True, text=True, timeout=300, env=os.environ | environment,
    )  # fmt: skip


def tiny_run(**more: object) -> Run:
    return vdbench.run(**{"datasets": "ucf101", "ipc": 1, "seeds": 1, "partial": True, **SMALL, **more})  # type: ignore[arg-type]


def typed(home: Path, *more: object) -> list[str]:
    """The same on the command line."""
    words: list[object] = ["run", "--home", home, "--datasets", "ucf101", "--suite", "quick", "--partial", "--ipc", 1]
    words += ["--seeds", 1, "--scheduler", "inline", *more]
    for name, value in TINY.items():
        words += ["--set", f"{name}={value}".replace("'", "")]
    return [str(word) for word in words]


def call(arguments: list[str]) -> None:
    """Type a command."""
    app(arguments, standalone_mode=False)


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


def test_a_suite_may_be_a_file_or_an_object(home: Path, tmp_path: Path) -> None:
    declared = load_suite("quick", nested(TINY)["protocol"])
    file = tmp_path / "mine.yaml"
    file.write_text(declared.model_dump_json(exclude={"name"}))
    by_object = tiny_run(methods="random", suite=declared, set=None)
    by_file = tiny_run(methods="random", suite=file, set=None)
    assert {result.id for result in by_file.results} == {result.id for result in by_object.results}
    with pytest.raises(UsageError, match="there is no suite file"):
        tiny_run(methods="random", suite=tmp_path / "other.yaml")


def test_faults_of_the_caller_are_sentences() -> None:
    for fault, sentence in (
        ({"ipc": 0}, "ipc takes whole numbers of at least 1, not 0"),
        ({"seeds": 0}, "seeds takes whole numbers of at least 1, not 0"),
        ({"seeds": "3"}, "seeds takes whole numbers of at least 1, not '3'"),
        ({"seeds": [0, -1]}, "a seed is a whole number from 0 on, not -1"),
        ({"seeds": ["a"]}, "a seed is a whole number from 0 on, not 'a'"),
        ({"datasets": 3}, "3 is no data set; give one name, or the path of its YAML file"),
        ({"datasets": Path("mine.yaml")}, "there is no data set file mine.yaml"),
        ({"set": ["herding.encoder=pixels"]}, "set takes a dictionary such as"),
        ({"scheduler": "slurm"}, "there is no scheduler 'slurm'"),
        ({"methods": [3]}, "3 is no method"),
        ({"set": {"herding": 1}}, "names no setting"),
        ({"set": {3: 1}}, "names no setting"),
        ({"device": "tpu"}, "there is no device 'tpu'"),
        ({"ipc": np.array([1, 0])}, "ipc takes whole numbers of at least 1, not np.int64"),
        ({"methods": []}, "methods is empty; name one or more, or leave it out"),
        ({"methods": np.array([1, 2])}, "1.* is no method"),
        ({"datasets": ()}, "datasets is empty"),
        ({"ipc": []}, "ipc is empty"),
        ({"seeds": range(0)}, "seeds is empty"),
        ({"budget": []}, "budget is empty"),
        ({"ipc": 1.5}, "ipc takes whole numbers of at least 1, not 1.5"),
        ({"seeds": [10**30]}, "a seed is a whole number from 0 on, not 10000"),
        ({"workers": 0, "scheduler": "ray"}, "workers takes whole numbers of at least 1, not 0"),
        ({"budget": Path("x")}, "x is no number of bytes"),
    ):
        with pytest.raises(VdbenchError, match=sentence):
            tiny_run(**fault)
    for dataset, seed, sentence in ((["ucf101"], 0, "dataset of vdbench"), ("ucf101", -1, "a seed is a whole")):
        with pytest.raises(UsageError, match=sentence):
            vdbench.distill("random", dataset, ipc=1, seed=seed)
        with pytest.raises(UsageError, match=sentence):
            vdbench.evaluate((np.zeros((1, 8, 32, 32, 3), np.uint8), [0]), dataset, seed=seed)
    with pytest.raises(UsageError, match=r"name of vdbench.load_dataset takes a text or a path, not 5"):
        vdbench.load_dataset(5)  # type: ignore[arg-type]


def test_a_run_says_nothing_where_nobody_looks_and_runs_in_a_thread(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(len(tiny_run(methods="random").results)))
    thread.start()
    thread.join()
    captured = capfd.readouterr()
    assert (done, captured.out, captured.err) == ([2], "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_script_keeps_what_is_done_and_goes_on(home: Path, tmp_path: Path, number: int) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import vdbench\n"
        f"done = vdbench.run('random', 'ucf101', 1, range(60), partial=True, suite='quick', set={TINY!r})\n"
        "print('went on')\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list((home / "results").glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert out == "" and "KeyboardInterrupt: the run was asked to end; what is done is kept" in err
    before = {r.id: r.started for r in Home(home).results if r.status == "done"}
    assert 2 <= len(before) < 120
    done = tiny_run(methods="random", seeds=2)
    assert {r.id: r.started for r in done.results if r.id in before}.items() <= before.items()


@pytest.mark.slow
def test_a_script_without_a_guard_runs_its_own_class_on_ray(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tiny=TINY))
    places = os.environ | {"VDBENCH_HOME": str(home)}
    for scheduler in ("ray", "inline"):  # the second finds what the first ran, also the class's own
        ended = subprocess.run(
            [sys.executable, str(script), scheduler],
            check=False, capture_output=True, text=True, timeout=300, env=places,
        )  # fmt: skip
        assert ended.stdout.split() == ["full", "last", "random"], ended.stderr
    assert len(list((home / "results").glob("*.json"))) == 3


SCRIPT = """
import sys
import numpy as np
import vdbench
from vdbench.method import Card, Settings, identity
from vdbench.selector import Selector, SelectorSettings

OFFSET = 1

class LastSettings(SelectorSettings):
    first: int = identity(0, "which one is the first")

def last(count, k):
    return np.arange(count)[::-1][OFFSET : OFFSET + k]

class Last(Selector[LastSettings]):
    name = "last"
    Settings = LastSettings
    card = Card(title="The last clips")

    def select(self, features, k, rng, task):
        return last(len(features), k)

done = vdbench.run([Last], "ucf101", 1, 1, partial=True, suite="quick", scheduler=sys.argv[1], set={tiny!r})
print(*sorted(done.frame().method.unique()))
"""


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda small: vdbench.run("random", "ucf101", home=3), "home of vdbench.run takes a text or a path, not 3"),
        (lambda small: vdbench.load_results(3), "folder of vdbench.load_results takes a text or a path, not 3"),
        (lambda small: vdbench.evaluate(small, students=3), "3 is no student; give a name, or a StudentSpec"),
        (lambda small: vdbench.evaluate(small, students=[{"name": "minic3d"}]), "is no student; give a name"),
        (
            lambda small: vdbench.evaluate((small.pixels(), small.labels()[:2]), "ucf101", **SMALL),
            "there are 3 clips and 2 labels; give a label for each clip",
        ),
        (
            lambda small: vdbench.evaluate((small.pixels(), ["Archery", "bikng", "nope"]), "ucf101", **SMALL),
            "label 2 of arrays, 'bikng', is no class, such as",
        ),
    ],
)
def test_what_is_of_the_wrong_kind_is_refused_in_a_sentence(
    home: Path, call: Callable[[DistilledSet], object], sentence: str
) -> None:
    small = vdbench.distill("random", "ucf101", ipc=1, partial=True, **SMALL)
    with pytest.raises(VdbenchError, match=sentence):
        call(small)


WRONG: dict[str, list[object]] = {
    "bool": ["no", 1, np.array([1, 2])],
    "float": ["1", math.nan, math.inf, -1, True, [1.0]],
    "int": ["1", 1.5, True, np.array([1, 2])],
    "str": [3, b"x", ["a"], Path("a")],
    "str | Path": [3, b"x", ["a"], "a\0b"],
    "Sequence[str | Path]": [3, [None], "a\0b", {"a.py": 1}],
    "Literal['inline', 'ray']": [3, np.array([1, 2])],
    "SuiteLike": [3, ["quick"], {}, np.array([1, 2])],
}
"""What is no argument of an annotation."""


@pytest.mark.parametrize("function", [getattr(vdbench, name) for name in SIX], ids=SIX)
def test_no_argument_of_the_wrong_kind_gets_further_than_a_sentence(function: Callable[..., object]) -> None:
    given = {"load_results": (), "new_dataset": ("lab",), "distill": ("random", "ucf101")}
    tried = 0
    for name, parameter in inspect.signature(function).parameters.items():
        positional = given.get(function.__name__, ("motion-digits",))
        for value in WRONG.get(str(parameter.annotation).removesuffix(" | None"), []):
            place = list(inspect.signature(function).parameters).index(name)
            arguments = [value if index == place else one for index, one in enumerate(positional)]
            named = {} if place < len(positional) else {name: value}
            with pytest.raises(UsageError, match=rf"^{name} of vdbench.{function.__name__} takes .*, not [^\n]*$"):
                function(*arguments, **named)
            tried += 1
    assert tried >= 4


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"frames": 0}, "frames takes whole numbers of at least 1"),
        ({"frames": -1}, "frames takes whole numbers of at least 1"),
        ({"size": 0}, "size takes whole numbers of at least 1"),
        ({"splits": 0}, "splits takes whole numbers of at least 1"),
        ({"splits": 10**9}, "1000000000 splits are too many"),
        ({"seed": -1}, "a seed is a whole number from 0 on"),
    ],
)
def test_numbers_that_no_data_set_has_are_refused(tmp_path: Path, wrong: dict[str, int], complaint: str) -> None:
    for name in ("a/1.mp4", "a/2.mp4", "b/1.mp4", "b/2.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=complaint):
        vdbench.new_dataset("lab", videos=tmp_path, home=tmp_path, **wrong)  # type: ignore[arg-type]


def test_one_plugin_file_need_not_be_in_a_list() -> None:
    with pytest.raises(UsageError, match="there is no plugin file .*mine.py"):
        vdbench.run("random", "ucf101", plugins="mine.py")


@pytest.mark.parametrize("test", [0, 1, 1.5])
def test_the_share_to_test_on_is_a_share(tmp_path: Path, test: float) -> None:
    with pytest.raises(UsageError, match="the share to test on lies between 0 and 1, unlike"):
        vdbench.new_dataset("lab", videos=tmp_path, test=test, home=tmp_path / "home")


def test_what_torch_was_set_to_changes_no_result_and_stays_set(home: Path) -> None:
    def outcome(place: Path) -> tuple[object, ...]:
        small = vdbench.distill("random", "ucf101", partial=True, home=place, **SMALL)
        learned = {"dm.iterations": 1, "dm.real": 2}
        dm = vdbench.distill("dm", "ucf101", partial=True, home=place, suite="quick", set=TINY | learned)
        judged = vdbench.evaluate(small, home=place, **SMALL).frame()
        return dm.stored_bytes, dm.tensors["clips"].cpu().tolist(), list(judged.top1), list(judged.train_loss)

    other = Path(shutil.copytree(home, home.with_name("other")))
    wanted, matmul = outcome(home), torch.backends.mkldnn.matmul
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_float32_matmul_precision("medium")
        torch.backends.fp32_precision = "tf32"  # type: ignore[attr-defined]
        torch.backends.mkldnn.enabled = False
        torch.use_deterministic_algorithms(True)
        state = torch.get_rng_state()
        with torch.inference_mode(), torch.device("meta"), torch.autocast("cpu", torch.bfloat16):
            found = outcome(other)
            assert torch.zeros(1).is_meta and torch.is_inference_mode_enabled() and torch.is_autocast_enabled("cpu")
        assert found == wanted and torch.equal(torch.get_rng_state(), state)
        assert torch.get_default_dtype() == torch.float64 and torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.mkldnn.enabled and matmul.fp32_precision == "bf16"
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.mkldnn.enabled = True
        torch.backends.fp32_precision = "none"  # type: ignore[attr-defined]
        torch.set_float32_matmul_precision("highest")
        torch.set_default_dtype(torch.float32)


def test_two_threads_at_once_get_what_one_gets(home: Path) -> None:
    small = vdbench.distill("random", "ucf101", partial=True, **SMALL)
    found: list[list[float]] = []
    threads = [
        threading.Thread(target=lambda: found.append(list(vdbench.evaluate(small, **SMALL).frame().train_loss)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(vdbench.evaluate(small, **SMALL).frame().train_loss)] * 3

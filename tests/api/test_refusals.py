"""What callers get wrong is told them in a sentence, before anything is done."""

import inspect
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vdbench
from tests.api.conftest import SIX, SMALL, tiny_run
from vdbench.distilled import DistilledSet
from vdbench.errors import UsageError, VdbenchError


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
    "int": ["1", 2**60, 1.5, True, np.array([1, 2])],
    "str": [3, b"x", ["a"], Path("a")],
    "str | Path": [3, b"x", ["a"], "a\0b"],
    "Sequence[str | Path]": [3, [None], "a\0b", {"a.py": 1}],
    "Sequence[str]": ["wave", 3, [3], {"wave": 1}, b"wave"],
    "Mapping[str, str]": ["label=verb", 3, ["label"], {"label": 3}, {3: "verb"}],
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


@pytest.mark.parametrize("function", [getattr(vdbench, name) for name in SIX], ids=SIX)
def test_an_argument_that_there_is_not_is_refused_with_the_name_of_the_function(
    function: Callable[..., object],
) -> None:
    given = ("random", "motion-digits") if function is vdbench.distill else ("motion-digits",)
    with pytest.raises(TypeError, match=rf"^vdbench.{function.__name__}: .* 'clips_per_class'$"):
        function(*given, clips_per_class=1)


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

"""What a method reads of how its sets will be judged: only what it declares, and all of it in the id of its sets."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, get_args

import pytest

from vdbench.datasets.spec import load_dataset
from vdbench.evaluation.given import Reading
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.train import Recipe
from vdbench.experiment.bench import Bench, teacher_of
from vdbench.experiment.home import Home
from vdbench.experiment.protocol import Protocol
from vdbench.method import Card, Method
from vdbench.selector import Selector, SelectorSettings
from vdbench.testing import check_method, tiny_task

PROTOCOL = Protocol(
    students=(StudentSpec(name="minic3d", width=4), StudentSpec(name="cnn-gru")), recipe=Recipe(epochs=7)
)
LOOKS: dict[Reading, Callable[[Any], Any]] = {
    "student": lambda task: task.student,
    "recipe": lambda task: task.recipe,
    "teacher": lambda task: task.teacher,
    "directed": lambda task: task.directed,
    "budget_bytes": lambda task: task.budget_bytes,
}


def reader(*reads: Reading, looks_at: Reading | None = None) -> type[Method[Any]]:
    """A selector of the first clips that reads something."""

    class Reader(Selector[SelectorSettings]):
        name = "reader"
        card: ClassVar[Card] = Card("The first clips")

        def select(self, features: Any, k: int, rng: Any, task: Any) -> Any:
            if looks_at is not None:
                LOOKS[looks_at](task)
            return range(k)

    return type("Declared", (Reader,), {"reads": reads})


def bench(folder: Path, protocol: Protocol = PROTOCOL, dataset: str = "ucf101") -> Bench:
    """A bench without clips."""
    store: Any = SimpleNamespace(manifest=SimpleNamespace(spec=load_dataset(dataset)))
    view: Any = None
    return Bench(store, view, protocol, Home(folder), "cpu")


def test_what_is_declared_is_that_of_the_protocol_and_nothing_else_is_given(tmp_path: Path) -> None:
    assert bench(tmp_path).given(reader()(), 0, None) == {}
    given = bench(tmp_path).given(reader("student", "recipe", "teacher", "budget_bytes")(), 2, 4096)
    assert given == {
        "student": PROTOCOL.students[0],
        "recipe": PROTOCOL.recipe,
        "teacher": teacher_of(PROTOCOL, 2),
        "budget_bytes": 4096,
    }
    task = replace(tiny_task(tmp_path), given=given)
    assert [LOOKS[name](task) for name in given] == list(given.values())
    with pytest.raises(AttributeError, match=r"add reads = \('directed',\) to the class"):
        _ = task.directed


@pytest.mark.parametrize(("dataset", "directed"), [("ucf101", False), ("ssv2", True)])
def test_the_direction_of_motion_is_the_data_set_s(tmp_path: Path, dataset: str, directed: bool) -> None:
    assert bench(tmp_path, dataset=dataset).given(reader("directed")(), 0, None) == {"directed": directed}


@pytest.mark.parametrize("reads", [("student",), ("recipe",), ("teacher",), ("directed",), ("budget_bytes",)])
def test_what_is_read_is_described_and_what_is_not_read_plays_no_part(tmp_path: Path, reads: tuple[Reading]) -> None:
    """Another student, another recipe, another data set, another budget: which of them changes the description."""

    def described(protocol: Protocol = PROTOCOL, dataset: str = "ucf101", budget: int | None = None) -> dict[str, Any]:
        site = bench(tmp_path, protocol, dataset)
        return site.described(site.given(reader(*reads)(), 0, budget))

    changed = {
        "student": PROTOCOL.model_copy(update={"students": (StudentSpec(name="minic3d", width=8),)}),
        "recipe": PROTOCOL.model_copy(update={"recipe": Recipe(epochs=8)}),
        "evaluation": PROTOCOL.model_copy(update={"evaluation_seeds": 1, "students": PROTOCOL.students[:1]}),
    }
    found = {name for name, protocol in changed.items() if described(protocol) != described()}
    assert found == {"teacher": {"student", "recipe"}}.get(reads[0], {reads[0]} & changed.keys())
    assert (described(dataset="ssv2") != described()) == (reads[0] == "directed")
    assert (described(budget=9) != described()) == (reads[0] == "budget_bytes")


@pytest.mark.parametrize("name", get_args(Reading))
def test_check_method_finds_what_is_read_without_a_declaration(name: Reading) -> None:
    assert check_method(reader(name, looks_at=name)) == []
    (finding, *_) = check_method(reader(looks_at=name))
    assert f"add reads = ('{name}',)" in finding


def test_what_no_task_has_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="reads 'test'; choose from student, recipe, teacher, directed, budget_bytes"):
        reader("test")  # type: ignore[arg-type]

"""Identity: what changes an id, what does not, and ids that must stay what they are."""

from pathlib import Path
from typing import Any

from vdbench.evaluation.configurations import Configuration
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.train import Recipe
from vdbench.experiment.protocol import Protocol
from vdbench.experiment.trial import Job, Trial
from vdbench.records import DatasetRecord

DATASET = DatasetRecord(
    name="tiny", fingerprint="view", split=1, classes=2, class_names=("a", "b"), classes_total=2, clips=8,
    clips_total=8, train_clips=4, test_clips=4,
)  # fmt: skip
PROTOCOL = Protocol(students=(StudentSpec(name="minic3d", width=4),), recipe=Recipe(epochs=2), evaluation_seeds=2)


def trial(**changes: Any) -> Trial:
    value = Trial(
        method="random", method_version=1, method_code="", pool="real", settings={"pool": "real"}, suite="quick",
        control=True,
        protocol=PROTOCOL, dataset=DATASET, train_fingerprint="train", assets=(), ipc=1, seed=0, distillation_seed=0,
    )  # fmt: skip
    return value.model_copy(update=changes)


def test_golden_ids() -> None:
    """If these change, every stored result is orphaned: raise IDENTITY_VERSION and say so, or undo the change."""
    assert (trial().distillation_id, trial().id) == ("972fd5f0585a8710", "8703faf9a77b15ee")


def test_everything_that_matters_changes_the_id() -> None:
    changes: list[dict[str, Any]] = [
        {"method": "full"},
        {"method_version": 2},
        {"method_code": "edited"},
        {"assets": ("features",)},
        {"reads": {"directed": True}},
        {"reads": {"directed": False}},
        {"settings": {"pool": "generated"}},
        {"train_fingerprint": "other"},
        {"ipc": 2},
        {"ipc": None},
        {"codec": "h264:23"},
        {"budget_bytes": 4096},
        {"seed": 1},
        {"distillation_seed": 1},
        {"dataset": DATASET.model_copy(update={"fingerprint": "other"})},
        {"protocol": PROTOCOL.model_copy(update={"recipe": Recipe(epochs=3)})},
    ]
    ids = {trial().id, *(trial(**change).id for change in changes)}
    assert len(ids) == len(changes) + 1


def test_the_suite_s_name_and_runtime_do_not() -> None:
    assert trial(suite="mine", control=False).id == trial().id
    here, there = (
        Job(trial=trial(), settings={}, home=Path(p), store=Path(p), device=d) for p, d in (("a", "cpu"), ("b", "cuda"))
    )
    assert here.trial.id == there.trial.id


def test_students_and_seeds_of_a_method_without_chance_share_a_distillation() -> None:
    students = PROTOCOL.model_copy(update={"students": (StudentSpec(name="cnn-gru"),)})
    for other in (trial(protocol=students), trial(seed=1)):
        assert other.distillation_id == trial().distillation_id
        assert other.id != trial().id


def test_configurations_change_the_trial_and_not_the_distillation() -> None:
    ways = {"adamw": Configuration(recipe={"optimiser": "adamw"}), "wide": Configuration(student={"width": 8})}
    several, one = ({name: ways[name] for name in names} for names in (("wide", "adamw"), ("adamw",)))
    trials = [trial(protocol=PROTOCOL.model_copy(update={"configurations": some})) for some in (several, one, {})]
    assert len({found.id for found in trials}) == 3
    assert {found.distillation_id for found in trials} == {trial().distillation_id}
    assert trials[2].id == trial().id
    assert trial(protocol=PROTOCOL.model_copy(update={"configurations": ways})).id == trials[0].id


def test_a_configuration_s_student_is_part_of_the_id_with_its_version() -> None:
    way = {"gru": Configuration(student={"name": "cnn-gru"})}
    other = trial(protocol=PROTOCOL.model_copy(update={"configurations": way}))
    assert len(other.judging["students"]) == len(trial().judging["students"]) + 1


def test_students_of_all_methods_share_their_seeds() -> None:
    assert trial(method="full", ipc=None).evaluation_seeds() == trial().evaluation_seeds() == [0, 1]
    assert trial(seed=3).evaluation_seeds() == [3000, 3001]


def test_a_job_survives_json() -> None:
    job = Job(trial=trial(), settings={"a": 1}, home=Path("/h"), store=Path("/s"), gpus=0.5)
    assert Job.model_validate(job.model_dump(mode="json")) == job

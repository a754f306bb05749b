"""Suites: what is run and under which protocol, declared in YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from vdbench.errors import DataError, UsageError, nearest
from vdbench.evaluation.augment import Augmentation
from vdbench.evaluation.configurations import NAMED, Configuration, Configured
from vdbench.evaluation.evaluate import StudentSpec
from vdbench.evaluation.precision import check_precision
from vdbench.evaluation.train import Recipe
from vdbench.extensions.installed import entry_points
from vdbench.records import Positive, Record, Regime
from vdbench.storage import plain_yaml
from vdbench.storage.validation import faults_in, setting_error

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from vdbench.datasets.spec import DatasetSpec

EMBEDDED = "motion-digits"
"""The data set that vdbench renders itself."""
GROUP = "vdbench.suites"
"""The entry points of packages that bring suites."""
MODIFIED = "-modified"
"""Added to the name of a suite whose protocol was changed."""


class Protocol(Record):
    """Everything about judging that decides a number.

    Attributes:
        frames: frames per clip; the data set's own where left out.
        size: height and width in pixels; the data set's own where left out.
        split: which official split.
        validation: share of train that is held out, by group, and that methods never see.
        evaluate_on: ``test``, or ``validation`` for choosing settings without touching test.
        students: the networks that judge.
        recipe: how they are trained.
        evaluation_seeds: fresh networks per distilled set and student.
        labels: kinds of labels that every set is judged with by this recipe, beside its own labels and step size;
            those of a teacher at every step with the augmentation.
        augmentation: how clips are varied in a second training of every set; None for none.
        configurations: other students and recipes that every set is judged with, by name.
        checkpoints: shares of the steps after which students are tested on their way, which decides nothing.
        draws: of trained encoders, teachers and experts, which trials share: seed s has those of draw s modulo so
            many. It is part of an id only by the draw that a trial used, if it used any.
    """

    frames: int | None = Field(default=None, ge=1)
    size: int | None = Field(default=None, ge=8)
    split: int = Field(default=1, ge=1)
    validation: float = Field(default=0.0, ge=0, lt=1)
    evaluate_on: Literal["test", "validation"] = "test"
    students: tuple[StudentSpec, ...] = Field(min_length=1)
    recipe: Recipe
    evaluation_seeds: int = Field(default=5, ge=1)
    labels: tuple[Regime, ...] = ("hard",)
    augmentation: Augmentation | None = Field(default=None, validate_default=True)
    configurations: dict[Annotated[str, Field(pattern=NAMED)], Configuration] = {}
    checkpoints: tuple[Annotated[float, Field(gt=0, le=1)], ...] = ()
    draws: int = Field(default=3, ge=1)

    @field_validator("checkpoints")
    @classmethod
    def _in_order(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(value)))

    @field_validator("augmentation")
    @classmethod
    def _varies_what_a_teacher_labels(cls, value: Augmentation | None, info: ValidationInfo) -> Augmentation | None:
        if value is None and "teacher" in info.data.get("labels", ()):
            raise ValueError(
                "labels 'teacher' are given at every step to varied clips; say how, as {crop: 0.125, jitter: 1}"
            )
        return value

    @field_validator("configurations")
    @classmethod
    def _fit_the_protocol(cls, value: dict[str, Configuration], info: ValidationInfo) -> dict[str, Configuration]:
        known = info.data
        if known.keys() >= {"students", "recipe"}:
            _configured(value, known["students"][0], known["recipe"])
        return value

    @model_serializer(mode="wrap")
    def _without_what_is_off(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What a protocol does not use plays no part in its identity."""
        fields: dict[str, Any] = serialise(self)
        return {name: value for name, value in fields.items() if value or name not in ("configurations", "checkpoints")}

    @property
    def configured(self) -> dict[str, Configured]:
        """The configurations with what they leave as it is here, by name."""
        return _configured(self.configurations, self.students[0], self.recipe)

    @property
    def every_student(self) -> tuple[StudentSpec, ...]:
        """The students, and after them those of configurations, each once."""
        return tuple(dict.fromkeys([*self.students, *(way.student for way in self.configured.values())]))

    @property
    def taught(self) -> bool:
        """Whether every set is judged with labels of a teacher."""
        return not {"soft", "teacher"}.isdisjoint(self.labels)

    def on(self, spec: DatasetSpec) -> Protocol:
        """This protocol on a data set: clips whose class has a direction are not mirrored."""
        return unmirrored(self) if spec.directed else self

    def computed_on(self, device: str) -> Protocol:
        """This protocol on a kind of device, with the precision that it is trained in there.

        Raises:
            UsageError: the device has no such precision.
        """
        for way in self.configured.values():
            check_precision(way.recipe.precision, device)
        recipe = self.recipe.on(device)
        return self if recipe is self.recipe else self.model_copy(update={"recipe": recipe})

    def draw(self, seed: int) -> int:
        """Which draw of the networks that trials share a seed has."""
        return seed % self.draws

    def judging(self) -> dict[str, Any]:
        """All but the number of draws, as JSON values: what two trials must share to be judged alike."""
        return self.model_dump(mode="json", exclude={"draws"})

    def data(self) -> dict[str, Any]:
        """The part that decides which clips methods see."""
        return {"frames": self.frames, "size": self.size, "split": self.split, "validation": self.validation}


def _configured(ways: Mapping[str, Configuration], student: StudentSpec, recipe: Recipe) -> dict[str, Configured]:
    """Configurations over a student and a recipe.

    Raises:
        ValueError: one of them does not fit these.
    """
    found = {}
    for name, way in ways.items():
        try:
            found[name] = way.over(student, recipe)
        except ValueError as error:
            raise ValueError(f"configuration '{name}': {error}") from None
    return found


def unmirrored(protocol: Protocol) -> Protocol:
    """A protocol under which no clip is mirrored."""
    ways = {name: way.unmirrored() for name, way in protocol.configurations.items()}
    how = protocol.augmentation and protocol.augmentation.model_copy(update={"mirror": False})
    usual = protocol.recipe.augmentation and protocol.recipe.augmentation.model_copy(update={"mirror": False})
    recipe = protocol.recipe.model_copy(update={"augmentation": usual})
    return protocol.model_copy(update={"augmentation": how, "recipe": recipe, "configurations": ways})


class Prescription(Record):
    """Settings that a suite gives a method: the published ones, or those that suit its clips.

    Attributes:
        method: its name.
        datasets: where they hold; everywhere when left out.
        ipc: at which IPCs they hold; at all of them when left out.
        when: other settings of the method that have to be so for them to hold; null where one must not be chosen.
        set: the settings, nested as the method's are.
    """

    method: str
    datasets: tuple[str, ...] | None = None
    ipc: tuple[int, ...] | None = None
    when: dict[str, Any] = {}
    set: dict[str, Any]


class Suite(Record):
    """A named protocol and what is run under it unless the command line says otherwise.

    Attributes:
        name: what users type.
        description: one sentence.
        datasets: names of data sets.
        ipc: instances per class.
        seeds: how many distillation seeds, counted from 0.
        runs: methods, as ``--methods`` takes them.
        controls: methods that always run beside the others.
        protocol: how they are judged.
        methods: settings of methods under this suite; of several that hold, later ones win. A file may take those
            of another suite, ``methods_of: vdsd``, and add to them.
    """

    name: str
    description: str
    datasets: tuple[str, ...]
    ipc: tuple[Positive, ...] = Field(min_length=1)
    seeds: Positive
    runs: tuple[str, ...] = Field(("all",), min_length=1)
    controls: tuple[str, ...] = ("random", "full")
    protocol: Protocol
    methods: tuple[Prescription, ...] = ()

    def prescribed(self, method: str, dataset: str, ipc: int, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that a method has on a data set at an IPC unless the user chooses others.

        Args:
            method: its name.
            dataset: the data set's name.
            ipc: instances per class.
            chosen: what the user set, which conditions are held against.
        """
        found: dict[str, Any] = {}
        for rule in self.methods:
            here = (rule.datasets is None or dataset in rule.datasets) and (rule.ipc is None or ipc in rule.ipc)
            known = merged(found, chosen)
            if rule.method == method and here and all(known.get(name) == value for name, value in rule.when.items()):
                found = merged(found, rule.set)
        return found


def suite_names() -> list[str]:
    """All suites that are installed, sorted."""
    return sorted(_files())


def _files() -> dict[str, Traversable]:
    """The file of every suite: ours, and those of packages with entry points of the group ``vdbench.suites``.

    Such an entry point names a suite and the package that holds ``NAME.yaml``. Ours come first.
    """
    folder = package_files("vdbench_benchmarks") / "suites"
    own = {file.name.removesuffix(".yaml"): file for file in folder.iterdir() if file.name.endswith(".yaml")}
    points = entry_points(group=GROUP)
    return {point.name: package_files(point.module) / f"{point.name}.yaml" for point in points} | own


def load_suite(asked: str | Path | Suite, overrides: Mapping[str, Any] | None = None) -> Suite:
    """Read a suite and modify its protocol. A modified one says so in its name, and so in every table.

    Args:
        asked: the name of a suite, the path of a YAML file, or a suite.
        overrides: protocol fields to replace, nested as the protocol is.

    Raises:
        UsageError: there is no such suite, or an override does not fit.
        DataError: the file is malformed.
    """
    suite = asked if isinstance(asked, Suite) else _read(asked)
    if not overrides:
        return suite
    changed = merged(suite.model_dump(mode="json")["protocol"], overrides)
    try:
        modified = suite.model_copy(update={"protocol": Protocol.model_validate(changed)})
    except ValidationError as error:
        raise setting_error(error, Protocol, "protocol") from None
    name = f"{suite.name.removesuffix(MODIFIED)}{MODIFIED}"
    return modified if modified == suite else modified.model_copy(update={"name": name})


def _read(asked: str | Path) -> Suite:
    """A suite that is declared in a YAML file, ours or another one."""
    file: Traversable
    if str(asked).endswith((".yaml", ".yml")):
        file = Path(asked).expanduser()
        if not file.is_file():
            raise UsageError(f"there is no suite file {asked}; check the path")
    elif str(asked) in _files():
        file = _files()[str(asked)]
    else:
        raise UsageError(f"unknown suite '{asked}'; {nearest(str(asked), suite_names())}")
    try:
        declared = {"name": Path(file.name).stem, **plain_yaml.read_file(file, file.name)}
        if source := declared.pop("methods_of", None):
            declared["methods"] = [*load_suite(source).methods, *declared.get("methods", ())]
        return Suite.model_validate(declared)
    except (yaml.YAMLError, ValueError, TypeError, UsageError) as error:
        raise DataError(f"suite file {file.name} is malformed: {faults_in(error)}") from error
    except RecursionError:
        raise DataError(f"suite file {file.name} is malformed: methods_of leads back to itself") from None


def usual_suite(datasets: Sequence[str] | None) -> str:
    """The suite of data sets for which none is named: ``quick`` on the embedded one, ``clean`` on real data."""
    return "quick" if datasets is None or list(datasets) == [EMBEDDED] else "clean"


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings with some of them replaced."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result

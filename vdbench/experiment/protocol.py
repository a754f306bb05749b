"""The protocol: everything about judging that decides a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from vdbench.evaluation.augment import Augmentation
from vdbench.evaluation.configurations import NAMED, Configuration, Configured
from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.precision import check_precision
from vdbench.evaluation.train import Recipe
from vdbench.records import Record, Regime

if TYPE_CHECKING:
    from vdbench.datasets.spec import DatasetSpec


NETWORKS = 1000
"""Networks of a trial at most: the seeds of those of the next one begin there."""


class Protocol(Record):
    """Everything about judging that decides a number.

    Attributes:
        frames: frames per clip; the data set's own where left out.
        size: height and width in pixels; the data set's own where left out.
        split: which official split.
        validation: share of train that is held out, by group, and that methods never see.
        readings: how often each test clip is read anew for every network, from a random start and, where classes have
            no direction, mirrored at random; scores are means over readings, and each train clip is read so once.
            Without, clips are read once, in the middle of their videos.
        evaluate_on: ``test``, or ``validation`` for choosing settings without touching test.
        students: the networks that judge.
        recipe: how they are trained.
        evaluation_seeds: fresh networks per distilled set and student, at most :data:`NETWORKS`.
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
    readings: int | None = Field(default=None, ge=1, le=1000)
    evaluate_on: Literal["test", "validation"] = "test"
    students: tuple[StudentSpec, ...] = Field(min_length=1)
    recipe: Recipe
    evaluation_seeds: int = Field(default=5, ge=1, le=NETWORKS)
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
        off = ("configurations", "checkpoints", "readings")
        return {name: value for name, value in fields.items() if value or name not in off}

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
        """The part that decides which clips methods see, and how test clips are read."""
        random = {} if self.readings is None else {"readings": self.readings}
        return {"frames": self.frames, "size": self.size, "split": self.split, "validation": self.validation, **random}


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


def describe_protocol(protocol: Protocol) -> str:
    """The protocol in one line, for people."""
    frames = f"{protocol.frames or 'native'} frames of {protocol.size or 'native'} pixels"
    students = ", ".join(_sized(spec) for spec in protocol.students)
    networks = f"{protocol.evaluation_seeds} network{'s' if protocol.evaluation_seeds > 1 else ''} each"
    ways = f", in {len(protocol.configurations)} more configurations" if protocol.configurations else ""
    return f"{frames}, split {protocol.split}, judged by {students}, {networks}, on {protocol.evaluate_on}{ways}"


def _sized(spec: StudentSpec) -> str:
    """``minic3d (width 16)``; the name alone where its sizes are its own."""
    sizes = [f"{name} {value}" for name, value in (("width", spec.width), ("depth", spec.depth)) if value is not None]
    return f"{spec.name} ({', '.join(sizes)})" if sizes else spec.name

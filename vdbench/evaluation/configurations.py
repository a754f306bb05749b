"""Configurations: a set judged once more with another student, optimiser, learning rate, schedule or augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import SerializerFunctionWrapHandler, ValidationError, field_validator, model_serializer

from vdbench.evaluation.networks import StudentSpec
from vdbench.evaluation.train import Recipe
from vdbench.records import Record
from vdbench.storage.validation import faults_in

Checked = TypeVar("Checked", bound=Record)

NAMED = r"^[a-z0-9]+(-[a-z0-9]+)*$"
"""What a configuration may be called: words of small letters and digits, joined by hyphens."""
RATES = {"lr", "optimiser"}
"""A configuration that sets one of them trains every set by its own learning rate, and no set by a learned one."""


class Configuration(Record):
    """What a configuration changes of the protocol; an empty one changes nothing.

    Attributes:
        recipe: fields of the recipe, among them its augmentation.
        student: fields of the protocol's first student; where the name is another one, the whole student.
    """

    recipe: dict[str, Any] = {}
    student: dict[str, Any] = {}

    @field_validator("recipe")
    @classmethod
    def _of_a_recipe(cls, changes: dict[str, Any]) -> dict[str, Any]:
        for name, value in changes.items():  # one by one: whether they fit together depends on the others
            _checked(Recipe, {name: value})
        return changes

    @field_validator("student")
    @classmethod
    def _of_a_student(cls, changes: dict[str, Any]) -> dict[str, Any]:
        _checked(StudentSpec, {"name": "minic3d"} | changes)
        return changes

    @model_serializer(mode="wrap")
    def _changes(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is changed, and nothing that is not."""
        return {part: changes for part, changes in serialise(self).items() if changes}

    def over(self, student: StudentSpec, recipe: Recipe) -> Configured:
        """The configuration of a protocol with this first student and recipe.

        Raises:
            ValueError: the fields do not fit those that they leave as they are.
        """
        another = self.student.get("name", student.name) != student.name
        base = {} if another else student.model_dump(mode="json")
        return Configured(
            student=_checked(StudentSpec, base | self.student),
            recipe=_checked(Recipe, recipe.model_dump(mode="json") | self.recipe),
            own_rate=not RATES & self.recipe.keys(),
        )

    def unmirrored(self) -> Configuration:
        """The same without mirrored clips."""
        how = self.recipe.get("augmentation")
        if how is None:
            return self
        return self.model_copy(update={"recipe": self.recipe | {"augmentation": dict(how) | {"mirror": False}}})


class Configured(Record):
    """A configuration with what it leaves as the protocol has it.

    Attributes:
        student: the network that judges.
        recipe: how it is trained.
        own_rate: whether a set that brings a learned step size is trained with it.
    """

    student: StudentSpec
    recipe: Recipe
    own_rate: bool = True


def _checked(model: type[Checked], fields: Mapping[str, Any]) -> Checked:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise ValueError(faults_in(error)) from None

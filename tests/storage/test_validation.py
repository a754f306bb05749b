import json

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from vdbench.errors import UsageError
from vdbench.experiment.suite import load_suite
from vdbench.storage.validation import faults_in, setting_error


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rate: float = 0.1


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner | None = None
    steps: int = 1

    @model_validator(mode="after")
    def _odd(self) -> "Outer":
        if self.steps % 2 == 0:
            raise ValueError("steps are odd")
        return self


def refused(value: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(value)
    return caught.value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"inner": {"rate": "fast"}}, "inner.rate: Input should be a valid number, unable to parse string as a number"),
        ({"steps": 2}, "the file: steps are odd"),
        ({"steps": None, "stps": 1}, "steps: Input should be a valid integer, stps: Extra inputs are not permitted"),
        (dict.fromkeys("abcd"), ", ".join(f"{name}: Extra inputs are not permitted" for name in "abc")),
    ],
)
def test_faults_are_said_with_their_places(value: object, words: str) -> None:
    assert faults_in(refused(value), "the file") == words


def test_of_other_errors_the_first_line_counts() -> None:
    with pytest.raises(ValueError, match="Expecting|property") as caught:
        json.loads("{")
    assert faults_in(caught.value).startswith("Expecting property name")
    assert faults_in(TypeError("a\nb")) == "a"
    assert faults_in(TypeError()) == "TypeError"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            {"inner": {"rat": 1}},
            "unknown setting 'dm.inner.rat'; did you mean 'dm.inner.rate' or 'dm.inner'? "
            "there are: dm.inner, dm.inner.rate, dm.steps",
        ),
        ({"steps": 2}, "setting dm is not valid: steps are odd"),
        (
            {"inner": {"rate": None}},
            "setting dm.inner.rate=None is not valid: Input should be a valid number",
        ),
    ],
)
def test_a_setting_is_named_as_it_is_typed(value: object, sentence: str) -> None:
    assert str(setting_error(refused(value), Outer, "dm")) == sentence


def test_of_yaml_the_line_is_named() -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.safe_load("a: 1\nb: c: d\n")
    assert faults_in(caught.value) == "line 2: mapping values are not allowed here"


@pytest.mark.parametrize(
    ("students", "told"),
    [
        ("minic3d", "setting protocol.students='minic3d' is not valid: it takes a list, as in '[a, b]'"),
        (["minic3d"], "setting protocol.students.0='minic3d' is not valid: it takes names with values, as in '{name"),
    ],
)
def test_lists_and_named_values_are_shown_as_they_are_typed(students: object, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_suite("quick", {"students": students})
    assert str(caught.value).startswith(told)

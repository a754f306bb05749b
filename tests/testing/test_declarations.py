"""The conformance suite finds what a method says of itself and is not so."""

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from tests.testing.offenders import Good, Untitled
from vdbench.method import Method, Settings, identity
from vdbench.testing import check_method


class LooseSettings(BaseModel):
    free: int = 1


class Fussy(Settings):
    must: int = identity(None, "a whole number")


class Opaque(Settings):
    value: Any = identity(object(), "anything")


def unsettled(settings: type[BaseModel]) -> type[Good]:
    class Offender(Good):
        Settings: ClassVar[type[Any]] = settings

    return Offender


class Pooled(Good):
    pools: ClassVar[tuple[str, ...]] = ("real",)


class BadName(Good):
    name: ClassVar[str] = "Bad_Name"


class Reserved(Good):
    name: ClassVar[str] = "generator"


OFFENDERS: list[tuple[str, Any, str]] = [
    ("name", BadName, "the name 'Bad_Name' must be lower-case words"),
    ("reserved name", Reserved, "the name 'generator' stands for the generator of a run's pool in --set"),
    ("card", Untitled, "has no title"),
    ("loose settings", unsettled(LooseSettings), "Settings does not extend vdbench.method.Settings"),
    ("no defaults", unsettled(Fussy), "it cannot be constructed from its defaults"),
    ("opaque settings", unsettled(Opaque), "its settings do not turn into JSON"),
    ("pool", Pooled, "its Settings have no field 'pool'"),
]


@pytest.mark.usefixtures("_process")
@pytest.mark.parametrize(("method", "finding"), [(m, f) for _, m, f in OFFENDERS], ids=[n for n, _, _ in OFFENDERS])
def test_what_is_declared_wrongly_is_found(method: type[Method[Any]], finding: str) -> None:
    findings = check_method(method)
    assert [f for f in findings if finding in f], findings

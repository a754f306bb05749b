"""Stored values, whatever they hold."""

from typing import Any

import pytest
from pydantic import SerializerFunctionWrapHandler, model_serializer
from pydantic_core import PydanticSerializationError

from vdbench.records import Record


class Asked(Record):
    raised: Any

    @model_serializer(mode="wrap")
    def _interrupted(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        raise self.raised


class Around(Record):
    inner: Asked

    @model_serializer(mode="wrap")
    def _as_it_is(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        value: dict[str, Any] = plain(self)
        return value


@pytest.mark.parametrize("around", [lambda asked: asked, lambda asked: Around(inner=asked)])
def test_ctrl_c_amid_writing_is_no_error_of_what_is_written(around: Any) -> None:
    """pydantic 2.14.3 raises PydanticSerializationError for whatever a serialiser raises, KeyboardInterrupt too."""
    with pytest.raises(KeyboardInterrupt):
        around(Asked(raised=KeyboardInterrupt())).model_dump()
    with pytest.raises(PydanticSerializationError):
        around(Asked(raised=RuntimeError("no"))).model_dump(mode="json")

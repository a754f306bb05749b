"""For authors of methods: ``assert check_method(MyMethod) == []`` is a whole test, :func:`tiny_task` a task to try."""

from vdbench.testing.conformance import check_method
from vdbench.testing.tiny import tiny_clips, tiny_task

__all__ = ["check_method", "tiny_clips", "tiny_task"]

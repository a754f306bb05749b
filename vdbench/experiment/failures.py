"""What is recorded of an exception that ended a trial: its kind, a sentence, and the traceback."""

from __future__ import annotations

import errno
import traceback
from typing import get_args

import torch

from vdbench.errors import FailureKind, VdbenchError
from vdbench.experiment.result import Failure


def failure_of(error: BaseException, stage: str) -> Failure:
    """The record of an exception, whatever is in it.

    Args:
        error: that ended the trial.
        stage: what was going on.
    """
    details = "" if isinstance(error, VdbenchError) else "".join(traceback.format_exception(error))
    return Failure(kind=failure_kind(error), stage=stage, message=sentence_of(error), details=_storable(details))


def failure_kind(error: BaseException) -> FailureKind:
    """Sort an exception into the closed set of failure kinds."""
    if isinstance(error, VdbenchError):
        return error.kind if error.kind in get_args(FailureKind) else "bug"
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or "can't allocate memory" in _text(error):
        return "oom"
    if isinstance(error, ImportError):
        return "dependency"
    if isinstance(error, OSError):
        return "data"
    ended = isinstance(error, SystemExit) and hasattr(error, "ray_terminate_msg")  # Ray ends a worker so
    return "interrupted" if ended or isinstance(error, KeyboardInterrupt) else "bug"


def sentence_of(error: BaseException) -> str:
    """An exception in one sentence."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"no space is left on the device for {error.filename or 'the home'}; free some and run again"
    if isinstance(error, VdbenchError):
        return _text(error)
    if isinstance(error, SystemExit) and failure_kind(error) == "bug":
        return " ".join(f"it called sys.exit({error.code!r}), which ends a program and not a trial".split())
    return " ".join(f"{type(error).__name__}: {_text(error)}".split())


def _text(error: BaseException) -> str:
    """What an exception says; a stranger's may fail at that."""
    try:
        return _storable(str(error))
    except Exception:
        return "it has no message that can be read"


def _storable(text: str) -> str:
    """A text in UTF-8, with half characters, as broken file names hold them, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()

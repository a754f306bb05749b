"""What is recorded of an exception that ended a trial: its kind, a sentence, and the traceback."""

from __future__ import annotations

import traceback
from typing import get_args

import torch

from vdbench.errors import FailureKind, VdbenchError
from vdbench.experiment.result import Failure
from vdbench.storage import files
from vdbench.storage.amounts import human_bytes

OF_A_GPU = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
"""What libraries say when the memory of a GPU ran out, in exceptions of no class of its own."""
OF_THE_MACHINE = "can't allocate memory"
MOSTLY = 0.7
"""A trial that took more than this share of a GPU has had it to itself."""
WHOLE_CARD = "type the same command again with --gpus-per-trial 1, which leaves it the whole card"
FEWER = "run fewer trials at once with --workers"
SMALLER = "take smaller batches, fewer frames or smaller ones (protocol.recipe.batch, protocol.frames, protocol.size)"


def failure_of(error: BaseException, stage: str) -> Failure:
    """The record of an exception, whatever is in it, and of the stage that it ended."""
    details = "" if isinstance(error, VdbenchError) else "".join(traceback.format_exception(error))
    return Failure(kind=failure_kind(error), stage=stage, message=sentence_of(error), details=_storable(details))


def failure_kind(error: BaseException) -> FailureKind:
    """Sort an exception into the closed set of failure kinds."""
    if isinstance(error, VdbenchError):
        return error.kind if error.kind in get_args(FailureKind) else "bug"
    if memory_ran_out(error) is not None:
        return "oom"
    if isinstance(error, ImportError):
        return "dependency"
    if isinstance(error, OSError):
        return "data"
    ended = isinstance(error, SystemExit) and hasattr(error, "ray_terminate_msg")  # Ray ends a worker so
    return "interrupted" if ended or isinstance(error, KeyboardInterrupt) else "bug"


def sentence_of(error: BaseException) -> str:
    """An exception in one sentence."""
    if isinstance(error, OSError) and error.errno in files.REFUSED:
        return f"{files.refused(error, 'the home')} and run again"
    if isinstance(error, VdbenchError):
        return _text(error)
    if (sentence := memory_ran_out(error)) is not None:
        return sentence
    if isinstance(error, SystemExit) and failure_kind(error) == "bug":
        return " ".join(f"it called sys.exit({error.code!r}), which ends a program and not a trial".split())
    return " ".join(f"{type(error).__name__}: {_text(error)}".split())


def memory_ran_out(error: BaseException) -> str | None:
    """A sentence with what would fit, where an exception says that memory ran out; None where it does not."""
    told = _text(error)
    if isinstance(error, torch.cuda.OutOfMemoryError) or any(sign in told for sign in OF_A_GPU):
        return gpu_full(*_memory_of_the_gpu())
    if isinstance(error, MemoryError) or OF_THE_MACHINE in told:
        return f"the memory of the machine ran out ({type(error).__name__}); {FEWER}, or {SMALLER}"
    return None


def gpu_full(most: int | None = None, whole: int | None = None) -> str:
    """What is said of a trial for which the memory of a GPU did not do.

    Args:
        most: bytes that its tensors took at most; None where that is not known.
        whole: bytes of the GPU.
    """
    if not most or not whole:
        return f"the memory of the GPU ran out; {WHOLE_CARD}; if it has that already, {SMALLER}"
    took = f"the memory of the GPU ran out, when this trial had {human_bytes(most)} of {human_bytes(whole)}"
    return f"{took}; {WHOLE_CARD if most < MOSTLY * whole else f'{SMALLER}, or a larger GPU'}"


def _memory_of_the_gpu() -> tuple[int | None, int | None]:
    try:
        device = torch.cuda.current_device()
        return torch.cuda.max_memory_allocated(), torch.cuda.get_device_properties(device).total_memory
    except (RuntimeError, AssertionError):  # no GPU is here, or none that answers
        return None, None


def _text(error: BaseException) -> str:
    """What an exception says; a stranger's may fail at that."""
    try:
        return _storable(str(error))
    except Exception:
        return "it has no message that can be read"


def _storable(text: str) -> str:
    """A text in UTF-8, with half characters, as broken file names hold them, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()

"""Computing the same numbers whatever torch was set to before, and whatever else this process does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache, partial
from typing import Any

import torch
from threadpoolctl import ThreadpoolController
from torch.backends import cudnn, mkldnn

from vdbench.evaluation.precision import products
from vdbench.storage.allocation import keep_freed_memory

TURN = threading.RLock()
"""Settings and global generators are a process's: its threads compute one after the other."""


@lru_cache(1)
def math_libraries(modules: int) -> ThreadpoolController:
    """The math libraries of this process, which takes a while to tell: anew only when something was imported.

    Args:
        modules: how many are imported.
    """
    return ThreadpoolController()


@contextmanager
def reproducibly() -> Iterator[None]:
    """Compute with torch's own settings of types, kernels, gradients and rounding, whatever was set before.

    What was set is put back afterwards. Not among these: which kernels attention may take, and rare ones such as
    ``set_flush_denormal``.

    One math thread, since sums of several depend on how many there are, and exact float32 where it is asked for: on a
    CPU this makes outcomes equal to the bit; on a GPU some backward passes have no deterministic kernel.
    """
    switches = (
        (cudnn, "enabled", True),
        (cudnn, "benchmark", False),
        (cudnn, "deterministic", True),
        (mkldnn, "enabled", True),
    )
    ours: tuple[tuple[Callable[[], Any], Callable[[Any], object], Any], ...] = (
        (torch.get_num_threads, torch.set_num_threads, 1),
        (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
        (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode, 0),
        *((partial(getattr, owner, name), partial(setattr, owner, name), value) for owner, name, value in switches),
    )
    with ExitStack() as block:
        block.enter_context(TURN)
        for read, write, value in ours:
            block.callback(write, read())
            write(value)
        keep_freed_memory()
        if torch.get_default_device().type != "cpu":  # the block slows every call down
            block.enter_context(torch.device("cpu"))
        contexts: tuple[AbstractContextManager[Any], ...] = (
            torch.inference_mode(False),
            torch.enable_grad(),
            products(tf32=False),
            math_libraries(len(sys.modules)).limit(limits=1),
            *(torch.autocast(device, enabled=False) for device in ("cpu", "cuda")),
        )
        for context in contexts:
            block.enter_context(context)
        yield

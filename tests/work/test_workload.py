"""How long work takes, told from a few tries."""

import time

import torch

from vdbench.work.workload import Work, seconds_of

CPU = torch.device("cpu")


def test_the_first_try_and_the_batch_do_not_mislead() -> None:
    tries: list[int] = []

    def spin(items: int) -> None:
        tries.append(items)
        end = time.process_time() + 0.002 * items + (0.05 if len(tries) == 1 else 0)
        while time.process_time() < end:
            pass

    assert 0.02 <= seconds_of(Work(("spin",), lambda: spin, 10, 5), CPU) < 0.045
    assert tries == [1, 1, 10]


def test_what_would_take_long_is_counted_and_not_done() -> None:
    def never(items: int) -> None:
        raise AssertionError("it was tried")

    assert seconds_of(Work(("huge",), lambda: never, 2, 1, lambda: 1e12), CPU) > 1

"""Noticing that Ray is not there, or not there any more: Ray itself waits for its answers for minutes, or for ever."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from vdbench.errors import FailureKind, VdbenchError

EVERY = 5.0
"""Seconds between two looks."""
LOOKS = 3
"""Looks in a row that have to find it gone: on a busy machine one answer may come late."""
SIGNAL = signal.SIGUSR1
"""By which the thread that looks interrupts the one that waits."""

SENTENCE = (
    "Ray's process on this machine ended, most likely for want of memory; what is done is kept: type the same command "
    "again, with fewer --workers if it happens again"
)


class RayMissingError(VdbenchError):
    """There is no Ray to run on: none could be started, or none answers."""

    kind: FailureKind = "dependency"


def check_address(address: str, seconds: float = 10.0) -> None:
    """Make sure that something listens where a cluster is said to be.

    Args:
        address: ``HOST:PORT``; ``local``, ``auto`` and addresses of other forms are left to Ray.
        seconds: how long to wait for an answer.

    Raises:
        RayMissingError: nothing does.
    """
    host, colon, port = address.rpartition(":")
    if not colon or "/" in address or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=seconds).close()
    except (OSError, OverflowError) as error:
        raise RayMissingError(
            f"no Ray cluster answers at {address} ({' '.join(str(error).split())}); start one with 'ray start "
            "--head', or leave --ray-address out to use this machine"
        ) from error


@contextmanager
def starting(address: str) -> Iterator[None]:
    """Tell in a sentence why Ray could not be started, or joined.

    Raises:
        RayMissingError: whatever Ray raised in the block.
    """
    try:
        yield
    except VdbenchError:
        raise
    except Exception as error:  # Ray raises plain ones too
        why = " ".join(str(error).split())[:300].rstrip(".")
        cure = "--scheduler inline does without Ray" if address == "local" else "docs/cluster.md says how to join one"
        raise RayMissingError(
            f"Ray could not be {'started here' if address == 'local' else f'joined at {address}'}: {why}; {cure}"
        ) from error


class NodeLostError(VdbenchError):
    """Ray's own process on this machine ended while a run went on."""

    kind: FailureKind = "interrupted"


@contextmanager
def ended_with_its_node(alive: Callable[[], bool], every: float = EVERY) -> Iterator[None]:
    """End the block when the node is gone, although the block waits for an answer of it.

    Only a main thread can be interrupted; in any other the block is left alone.

    Args:
        alive: whether the node is there; an exception counts as no.
        every: seconds between two looks.

    Raises:
        NodeLostError: it went away.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over, lost = threading.Event(), threading.Event()

    def look() -> None:
        missed = 0
        while not over.wait(every):
            missed = 0 if _sure(alive) else missed + 1
            if missed == LOOKS and not over.is_set():
                lost.set()
                os.kill(os.getpid(), SIGNAL)
                return

    def end(number: int, frame: FrameType | None) -> None:
        raise NodeLostError(SENTENCE)

    before = signal.signal(SIGNAL, end)
    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        signal.signal(SIGNAL, before)
        if lost.is_set():  # what is interrupted may have taken it for an ordinary end
            raise NodeLostError(SENTENCE) from None


def _sure(alive: Callable[[], bool]) -> bool:
    try:
        return alive()
    except Exception:  # whatever a dead cluster raises
        return False

"""Python processes that answer questions one by one, whatever program started them.

Unlike those of ``multiprocessing``, they never import the main module of the program: a script without a guard, code
from the standard input and a notebook can start them, and so can any of its threads.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

BOOT = (
    "import signal, sys, pickle; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = pickle.load(sys.stdin.buffer); from vdbench.datasets.children import live; live()"
)
"""The program of a child. What an interruption means, its parent decides."""


class Gone:
    """Stands for the answer of a process that ended."""


class Child(Generic[Q, A]):
    """A process that answers questions until it is killed or the program that started it has ended.

    Args:
        prepare: called once in the process; gives what answers. Found by its name, as pickle does.
        arguments: of ``prepare``.
        answers: where its answers are put, with the child itself, in the order of its questions: first None, when it is
            ready; :class:`Gone` when it has ended.
    """

    def __init__(
        self,
        prepare: Callable[..., Callable[[Q], A]],
        arguments: tuple[Any, ...],
        answers: queue.Queue[tuple[Child[Q, A], A | Gone | None]],
    ) -> None:
        command = [sys.executable, "-P", "-X", f"utf8={sys.flags.utf8_mode}", "-c", BOOT]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers = answers
        self._tell(sys.path)
        self._tell((prepare, arguments))
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def ask(self, question: Q) -> None:
        """Hand over a question. One that is asked after :class:`Gone` was heard has no answer."""
        self._tell(question)

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        self._listener.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _tell(self, value: object) -> None:
        assert self.process.stdin is not None
        with suppress(OSError):  # it has ended, which is heard on the other side
            pickle.dump(value, self.process.stdin)
            self.process.stdin.flush()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        try:
            while True:
                self._answers.put((self, pickle.load(self.process.stdout)))
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self._answers.put((self, Gone()))


def live() -> None:
    """A child's life: get ready, say so, then answer whatever comes, until the parent is gone."""
    stdout = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the answers
    questions: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_end_with, args=(_hear, questions), daemon=True).start()
    _end_with(_answer, questions, stdout)


def _hear(questions: queue.SimpleQueue[Any]) -> None:
    """Pass on what the parent says. It ends with the parent, and the process with it, also amid work that hangs."""
    with suppress(EOFError):
        while True:
            questions.put(pickle.load(sys.stdin.buffer))


def _answer(questions: queue.SimpleQueue[Any], stdout: BinaryIO) -> None:
    prepare, arguments = questions.get()
    answer = prepare(*arguments)
    said: Any = None
    while True:
        pickle.dump(said, stdout)
        stdout.flush()
        said = answer(questions.get())


def _end_with(work: Callable[..., None], *arguments: Any) -> None:
    """Do work, then end the process at once, without waiting for its other thread."""
    try:
        work(*arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)
